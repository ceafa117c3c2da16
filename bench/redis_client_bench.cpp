// How many small commands a second the Redis client carries, beside what it costs: INCR by call() from one
// and from several threads, a pipeline, and a script. Starts its own redis-server. Prints one JSON document.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <thread>

#include "base/json.hpp"
#include "base/system_env.hpp"
#include "redis/connect.hpp"
#include "support/redis_server.hpp"

namespace gaur {
namespace {

std::int64_t cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) { return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; };
  return us(used.ru_utime) + us(used.ru_stime);
}

struct Bench {
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop{"bench-loop"};
  std::unique_ptr<redis::Client> client;
  std::uint64_t commands = 0;
  json::Object results;

  void measure(const std::string& name, const std::function<void()>& work) {
    work();  // warm
    const Instant from = clock.now();
    const std::int64_t cpu = cpu_us();
    work();
    const double seconds = std::chrono::duration<double>(clock.now() - from).count();
    const auto count = static_cast<double>(commands);
    results[name] = json::Object{{"commands_per_second", static_cast<std::int64_t>(count / seconds)},
                                 {"client_cpu_us_a_command", static_cast<double>(cpu_us() - cpu) / count}};
  }

  void calls(std::uint64_t count, std::size_t at_once,
             const std::function<redis::Answer<redis::Reply>()>& one) {
    std::vector<redis::Answer<redis::Reply>> waiting;
    for (std::uint64_t i = 0; i < count; i += at_once) {
      waiting.clear();
      for (std::size_t k = 0; k < at_once; ++k) waiting.push_back(one());
      for (auto& each : waiting) {
        if (!std::move(each).get()) std::abort();
      }
    }
  }
};

int run(std::uint64_t commands, bool unix_socket) {
  test::RedisServer server;
  Bench bench;
  bench.commands = commands;
  redis::ClientOptions options;
  options.endpoint.host = server.host();
  options.endpoint.port = server.port();
  if (unix_socket) options.endpoint.unix_path = server.unix_path();
  bench.client = redis::connect(options, {bench.clock, bench.random, bench.loop});
  if (!bench.client->ready().get()) return 1;
  const auto incr = [&] { return bench.client->call({"INCR", "n"}); };
  const redis::Script script("incr", "return redis.call('INCR', KEYS[1])");
  const auto scripted = [&] { return bench.client->run(script, {"n"}, {"some", "arguments"}); };
  bench.measure("calls_1000_at_once", [&] { bench.calls(commands, 1000, incr); });
  bench.measure("calls_100_at_once", [&] { bench.calls(commands, 100, incr); });
  bench.measure("scripts_100_at_once", [&] { bench.calls(commands, 100, scripted); });
  bench.measure("pipelines_of_1000", [&] {
    for (std::uint64_t i = 0; i < commands; i += 1000) {
      if (!bench.client->pipeline(std::vector<redis::Command>(1000, {"INCR", "n"})).get()) std::abort();
    }
  });
  bench.commands = commands / 20;
  bench.measure("calls_1_at_once", [&] { bench.calls(commands / 20, 1, incr); });
  std::printf("%s\n", json::serialize(json::Object{{"bench", "redis_client"},
                                                   {"transport", unix_socket ? "unix" : "tcp"},
                                                   {"results", bench.results}})
                          .c_str());
  return 0;
}

}  // namespace
}  // namespace gaur

int main(int argc, char** argv) {
  CLI::App app("How many small commands a second the Redis client carries");
  std::uint64_t commands = 400'000;
  bool unix_socket = false;
  app.add_option("--commands", commands, "how many of each kind, a multiple of 20000");
  app.add_flag("--unix", unix_socket, "over the Unix socket");
  CLI11_PARSE(app, argc, argv);
  return gaur::run(commands, unix_socket);
}
