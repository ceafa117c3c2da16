// Hosts and runners are killed and stopped. Short by default; GAUR_LONG=1 takes the issue's sizes and every
// setting at its default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "chaos/host.hpp"
#include "chaos/process.hpp"
#include "support/redis_server.hpp"

namespace gaur::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct HostsUnderFire : testing::Test {
  RedisServer server;
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop{"test-loop"};
  std::unique_ptr<redis::Client> client;
  std::unique_ptr<Store> store;

  HostsUnderFire() {
    redis::ClientOptions options;
    options.endpoint.port = server.port();
    client = redis::connect(options, {clock, random, loop});
    store = bull::make_bull_store(*client, {clock, random, loop}, {});
  }
  ~HostsUnderFire() override {
    store.reset();
    client.reset();
  }

  std::unique_ptr<Process> host(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> command{GAUR_CHAOS_DRIVER, "--port", std::to_string(server.port()), "--name",
                                     name};
    command.insert(command.end(), more.begin(), more.end());
    return std::make_unique<Process>(command);
  }
  std::int64_t number(const std::vector<std::string>& command) const {
    const auto reply = server.call(command);
    return reply.integer() == nullptr ? -1 : *reply.integer();
  }
  std::string text(const std::vector<std::string>& command) const {
    const auto reply = server.call(command);
    return reply.text() == nullptr ? "" : *reply.text();
  }
  /// Active jobs with a lock of this host: id -> token.
  std::map<std::string, std::string> held_by(const std::string& name) const {
    std::map<std::string, std::string> held;
    const auto active = server.call({"LRANGE", "bull:query:active", "0", "-1"});
    if (active.array() == nullptr) return held;
    for (const auto& id : *active.array()) {
      const auto token = text({"GET", "bull:query:" + *id.text() + ":lock"});
      if (token.starts_with(name + "/")) held.emplace(*id.text(), token);
    }
    return held;
  }
};

/// Stopped for longer than its locks live: another host takes over, the late finishes are refused, each job
/// completes once.
TEST_F(HostsUnderFire, a_host_that_sleeps_past_its_locks_finishes_nothing) {
  const std::vector<std::string> settings =
      long_forms() ? std::vector<std::string>{"--work", "2000", "--concurrency", "5"}
                   : std::vector<std::string>{"--work", "500",  "--concurrency", "5",
                                              "--lock", "1500", "--span",        "600"};
  auto sleeper = host("sleeper", settings);
  ASSERT_EQ(sleeper->line(), "ready");
  Producer producer(*store, "query", "test/query");
  const auto ids = producer.add(5);
  ASSERT_EQ(ids.size(), 5U);
  ASSERT_TRUE(wait_until([&] { return number({"LLEN", "chaos:runs"}) == 5; }));
  sleeper->signal(SIGSTOP);
  auto other = host("other", settings);
  ASSERT_EQ(other->line(), "ready");
  ASSERT_TRUE(wait_until([&] { return number({"ZCARD", "bull:query:completed"}) == 5; }, Duration{60'000}));
  sleeper->signal(SIGCONT);
  sleeper->end_input();
  const auto slept = sleeper->line();
  ASSERT_TRUE(slept);
  EXPECT_THAT(*slept, HasSubstr("completed 0 stale 5")) << *slept;
  other->end_input();
  EXPECT_THAT(other->line().value_or(""), StartsWith("completed 5 stale 0"));
  EXPECT_EQ(number({"ZCARD", "bull:query:completed"}), 5);
  EXPECT_EQ(number({"ZCARD", "bull:query:failed"}), 0);
  for (const auto& id : ids)
    EXPECT_THAT(text({"HGET", "bull:query:" + id, "returnvalue"}), HasSubstr("other"));
}

/// What the store publishes of each job, counted: starts and completions. Thread-safety: internally locked.
class Published {
 public:
  Published(redis::Client& client, const std::string& base) : completed_(base + "completed") {
    subscription_ = client.subscribe({completed_}, {base + "active@*"},
                                     {.on_message = [this](const redis::Message& message) { count(message); },
                                      .on_state = [this](bool listening) { listening_ = listening; }});
  }
  bool listening() const { return listening_; }
  std::uint64_t starts() const { return starts_; }
  /// Completions by payload, which holds the job's id.
  std::map<std::string, int> completed() const {
    std::lock_guard lock(mutex_);
    return each_;
  }

 private:
  void count(const redis::Message& message) {
    if (message.channel != completed_) {
      ++starts_;
      return;
    }
    std::lock_guard lock(mutex_);
    ++each_[message.payload];
  }

  const std::string completed_;
  std::atomic<bool> listening_{false};
  std::atomic<std::uint64_t> starts_{0};
  mutable std::mutex mutex_;  // guards each_
  std::map<std::string, int> each_;
  std::unique_ptr<redis::Subscription> subscription_;
};

enum class Kind : std::uint8_t {
  /// The driver, handlers in the host itself.
  kInProcess,
  /// The driver with a pool of runners.
  kRunners,
  /// `gaur work` with a pool of runners.
  kProgram,
};

struct Kills : HostsUnderFire {
  static constexpr std::uint32_t kConcurrency = 10;
  const std::size_t jobs = long_forms() ? 20'000 : 1'200;
  const int kills = long_forms() ? 30 : 6;
  Kind kind = Kind::kInProcess;
  std::size_t added = 0, next = 0;
  int killed = 0, hosts_killed = 0;
  std::vector<std::string> names{"one", "two"};
  std::map<std::string, std::unique_ptr<Process>> hosts;
  Duration slowest{0}, slowest_start{0}, longest_pause{0};
  std::size_t last_done = 0;
  Instant progressed{};
  std::string picture;

  std::filesystem::path file(const std::string& name) const { return server.folder() / name; }
  /// Every setting that is not needed is left at its default.
  void write_configuration(const std::string& name) const {
    std::ofstream(file(name + ".toml"))
        << fmt::format(R"(
[store]
url = "{}"
[server]
data = "{}"
port_file = "{}"
[worker]
name = "{}"
[machine]
slots = {}
[queues.query]
[pools.p]
command = ["{}"]
[functions.sleep]
pool = "p"
)",
                       server.url(), file("data-" + name).string(), file(name + ".port").string(), name,
                       kConcurrency, GAUR_TEST_TESTBED);
  }
  std::unique_ptr<Process> start(const std::string& name) const {
    if (kind == Kind::kProgram) {
      std::filesystem::remove(file(name + ".port"));
      return std::make_unique<Process>(
          std::vector<std::string>{GAUR_PROGRAM, "work", "--config", file(name + ".toml").string()},
          file(name + ".log").string());
    }
    std::vector<std::string> more{"--concurrency", std::to_string(kConcurrency), "--work", "5"};
    if (kind == Kind::kRunners)
      more.insert(more.end(), {"--runners", GAUR_TEST_TESTBED, file("run-" + name).string()});
    return host(name, more);
  }
  bool wait_ready(const std::string& name) {
    if (kind != Kind::kProgram) return hosts.at(name)->line() == "ready";
    return wait_until([&] { return std::filesystem::exists(file(name + ".port")); });
  }
  /// SIGKILL, and the same host again: what it held is back within a second of its return.
  void kill_host(const std::string& name) {
    hosts.at(name)->kill9();
    const auto held = held_by(name);
    const Instant from = clock.now();
    hosts.at(name) = start(name);
    ASSERT_TRUE(wait_ready(name));
    const Instant ready = clock.now();
    ASSERT_TRUE(wait_until([&] {
      const auto still = held_by(name);
      return std::none_of(held.begin(), held.end(), [&](const auto& each) {
        const auto found = still.find(each.first);
        return found != still.end() && found->second == each.second;
      });
    }));
    slowest = std::max(slowest, std::chrono::duration_cast<Duration>(clock.now() - ready));
    slowest_start = std::max(slowest_start, std::chrono::duration_cast<Duration>(ready - from));
    ++hosts_killed;
  }
  bool kill_runner(const std::string& name) {
    if (kind == Kind::kRunners) {
      hosts.at(name)->say("kill-runner");
      return hosts.at(name)->line() == "killed";
    }
    const auto runners = below(hosts.at(name)->pid(), "gaur_runner_tes");
    if (runners.empty()) return false;
    return ::kill(runners[random.next() % runners.size()], SIGKILL) == 0;
  }
  void kill_one() {
    const auto& name = names[static_cast<std::size_t>(killed) % 2];
    if (kind != Kind::kInProcess && killed % 3 != 0) {
      if (!kill_runner(name)) return;
    } else {
      kill_host(name);
    }
    ++killed;
    next += jobs / static_cast<std::size_t>(kills + 1);
  }
  /// Remembers how long nothing completed although there was work, and what it looked like when that was
  /// long.
  void watch_progress() {
    const Instant now = clock.now();
    const std::size_t completed = done();
    if (completed != last_done || completed == added) {
      last_done = completed;
      progressed = now;
      return;
    }
    longest_pause = std::max(longest_pause, std::chrono::duration_cast<Duration>(now - progressed));
    if (now - progressed < Duration{1'500} || !picture.empty()) return;
    picture = fmt::format("after {} kills: {} of {} done, {} wait\n", killed, completed, added,
                          number({"LLEN", "bull:query:wait"}));
    const auto active = server.call({"LRANGE", "bull:query:active", "0", "-1"});
    for (const auto& id : *active.array()) {
      const std::string lock = "bull:query:" + *id.text() + ":lock";
      picture += fmt::format("  active {}: lock \"{}\" for {} ms\n", *id.text(), text({"GET", lock}),
                             number({"PTTL", lock}));
    }
  }
  std::size_t done() const { return static_cast<std::size_t>(number({"ZCARD", "bull:query:completed"})); }

  void go(Kind of) {
    kind = of;
    Published published(*client, "bull:query:");
    ASSERT_TRUE(wait_until([&] { return published.listening(); }));
    for (const auto& name : names) {
      if (kind == Kind::kProgram) write_configuration(name);
      hosts[name] = start(name);
      ASSERT_TRUE(wait_ready(name));
    }
    Producer producer(*store, "query", "test/query",
                      {.name = kind == Kind::kInProcess ? "work" : "sleep", .data = R"({"ms":5})"});
    next = jobs / static_cast<std::size_t>(kills + 1);
    progressed = clock.now();
    const bool all = wait_until(
        [&] {
          if (added < jobs && added <= done() + 300) added += producer.add(50).size();
          if (killed < kills && done() >= next) kill_one();
          watch_progress();
          return (added >= jobs && done() >= added) || HasFatalFailure();
        },
        Duration{long_forms() ? 600'000 : 60'000});
    EXPECT_TRUE(all) << "completed " << done() << " of " << added << ", active "
                     << number({"LLEN", "bull:query:active"});
    check_results(published);
  }
  void check_results(const Published& published) {
    EXPECT_EQ(killed, kills);
    EXPECT_EQ(done(), added);
    EXPECT_EQ(number({"ZCARD", "bull:query:failed"}), 0);
    EXPECT_EQ(number({"LLEN", "bull:query:active"}), 0);
    EXPECT_TRUE(wait_until([&] { return published.completed().size() == added; }));
    for (const auto& [payload, times] : published.completed()) EXPECT_EQ(times, 1) << payload;
    const auto again = static_cast<std::int64_t>(published.starts()) - static_cast<std::int64_t>(added);
    EXPECT_GT(again, 0) << "no kill hit a run";
    EXPECT_LE(again, static_cast<std::int64_t>(kills) * kConcurrency);
    EXPECT_LT(slowest, Duration{1'000});
    // The other host works on while one is killed and started again, and what the killed one held is back
    // within a second of its return: nothing may stand still for longer than that and the start take.
    EXPECT_LT(longest_pause, Duration{1'000} + slowest_start) << picture;
    if (longest_pause > Duration{2'000})
      std::printf("paused for %lld ms %s", static_cast<long long>(longest_pause.count()), picture.c_str());
    std::printf(
        "%zu jobs, %d kills (%d of hosts), %lld re-runs, slowest own recovery %lld ms (start of the process: "
        "%lld ms)\n",
        added, killed, hosts_killed, static_cast<long long>(again), static_cast<long long>(slowest.count()),
        static_cast<long long>(slowest_start.count()));
  }
};

TEST_F(Kills, of_hosts_lose_nothing) {
  go(Kind::kInProcess);
}

TEST_F(Kills, of_hosts_and_runners_lose_nothing) {
  go(Kind::kRunners);
}

TEST_F(Kills, of_gaur_work_and_its_runners_lose_nothing) {
  go(Kind::kProgram);
}

}  // namespace
}  // namespace gaur::test
