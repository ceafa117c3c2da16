// Gaur's side of scripts/bench redis-bull: one scenario on a Redis that the driver (bench/bull_peer/run.mjs)
// started. Prints one line of JSON. The worker is the real one, with its ledger; its handlers end at once, on
// the loop.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "admission/ledger.hpp"
#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "redis/connect.hpp"
#include "worker/worker.hpp"

namespace gaur {
namespace {

const QueueName kQueue("bench");
const FunctionName kFunction("__default__");

struct Settings {
  std::uint16_t port = 6379;
  std::string scenario = "process";
  std::uint64_t jobs = 10'000;
  std::uint32_t concurrency = 100;
  std::uint32_t array = 100;
  std::string data;
};

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "redis_bull_bench: {}\n", result.error().message);
    std::exit(1);
  }
  return *std::move(result);
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Ends every run as it starts, and signals when the awaited number has been seen.
class Noop final : public RunHandler {
 public:
  explicit Noop(const Clock& clock) : clock_(clock) {}
  void start(RunRequest request, RunObserver& observer) override {
    observer.on_end(request.taken.token, run::Completed{}, Usage{.wall_us = 1});
    std::lock_guard lock(mutex_);
    last_ = clock_.now();
    if (++started_ == wanted_) changed_.notify_all();  // a wakeup a run would be measured with it
  }
  void stop(const LockToken&, StopReason, std::string, std::string) override {}
  Instant wait_for(std::uint64_t runs) {
    std::unique_lock lock(mutex_);
    wanted_ = runs;
    changed_.wait(lock, [&] { return started_ >= runs; });
    return last_;
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t started_ = 0, wanted_ = 0;
  Instant last_{};
};

class Bench {
 public:
  explicit Bench(const Settings& settings) : settings_(settings) {
    redis::ClientOptions client;
    client.endpoint.port = settings.port;
    client_ = redis::connect(client, env());
    store_ = bull::make_bull_store(*client_, env(), {});
  }
  ~Bench() {
    store_.reset();
    client_.reset();
  }

  std::string run() {
    const double cpu = cpu_seconds();
    const Instant start = clock_.now();
    std::string more;
    if (settings_.scenario == "fill" || settings_.scenario == "add-bulk") {
      add(settings_.array);
    } else if (settings_.scenario == "add-single") {
      add(1);
    } else if (settings_.scenario == "process") {
      process();
    } else {
      more = latency();
    }
    const double seconds = std::chrono::duration<double>(clock_.now() - start).count();
    return fmt::format(
        R"({{"jobs":{},"seconds":{:.4f},"jobs_per_second":{:.0f},"client_cpu_us_per_job":{:.2f}{}}})",
        settings_.jobs, seconds, static_cast<double>(settings_.jobs) / seconds,
        (cpu_seconds() - cpu) * 1e6 / static_cast<double>(settings_.jobs), more);
  }

 private:
  Env env() { return {clock_, random_, loop_}; }

  /// One producer; the next array is sent when the last was answered.
  void add(std::uint64_t array) {
    const std::vector<NewJob> jobs(array, NewJob{kFunction.value, settings_.data, {}});
    for (std::uint64_t done = 0; done < settings_.jobs; done += array)
      must(store_->add({.queue = kQueue, .jobs = jobs}).get());
  }

  /// The ledger and the handler belong to the loop; this thread calls the worker.
  struct Running {
    Ledger ledger;
    Noop handler;
    Worker worker;
    Running(Env env, Store& store, std::uint32_t slots)
        : ledger(ledger_options(slots)),
          handler(env.clock),
          worker(env, store, ledger, handler, worker_options()) {
      worker.start();
    }
    ~Running() { (void)worker.stop(Duration(5'000)).get(); }
    static LedgerOptions ledger_options(std::uint32_t slots) {
      LedgerOptions options;
      options.capacity = {.cores = static_cast<double>(slots), .memory_bytes = std::uint64_t{slots} << 20U};
      options.slots = slots;
      options.takes_in_flight = worker_options().takes_in_flight();
      options.queues = {{.name = kQueue, .order = QueueOrder::kFifo}};
      options.functions[kFunction] = {};
      return options;
    }
    static WorkerOptions worker_options() {
      WorkerOptions options;
      options.name = "bench";
      options.queues = {kQueue};
      options.semantics = Semantics::bull();
      return options;
    }
  };

  void process() {
    Running running(env(), *store_, settings_.concurrency);
    running.handler.wait_for(settings_.jobs);
  }

  /// From before the add to the handler's start, the queue being idle.
  std::string latency() {
    Running running(env(), *store_, settings_.concurrency);
    std::vector<double> times;
    for (std::uint64_t i = 1; i <= settings_.jobs; ++i) {
      const Instant before = clock_.now();
      auto added = store_->add({.queue = kQueue, .jobs = {NewJob{kFunction.value, settings_.data, {}}}});
      const Instant started = running.handler.wait_for(i);
      times.push_back(std::chrono::duration<double, std::milli>(started - before).count());
      must(std::move(added).get());
    }
    std::sort(times.begin(), times.end());
    const auto at = [&](double share) {
      return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
    };
    return fmt::format(R"(,"p50_ms":{:.3f},"p95_ms":{:.3f},"p99_ms":{:.3f})", at(0.5), at(0.95), at(0.99));
  }

  Settings settings_;
  SystemClock clock_;
  SystemRandom random_;
  ThreadLoop loop_{"bench-loop"};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Store> store_;
};

}  // namespace
}  // namespace gaur

int main(int argc, char** argv) {
  gaur::Settings settings;
  CLI::App app("Gaur's side of the comparison with Bull 4");
  app.add_option("--port", settings.port, "of the Redis server")->required();
  app.add_option("--scenario", settings.scenario)
      ->check(CLI::IsMember({"fill", "add-bulk", "add-single", "process", "latency"}));
  app.add_option("--jobs", settings.jobs);
  app.add_option("--concurrency", settings.concurrency);
  app.add_option("--array", settings.array, "jobs in one bulk add");
  app.add_option("--data", settings.data, "JSON")->required();
  CLI11_PARSE(app, argc, argv);
  gaur::Bench bench(settings);
  fmt::print("{}\n", bench.run());
  return 0;
}
