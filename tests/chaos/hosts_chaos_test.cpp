// Hosts and runners are killed and stopped. Short by default; GAUR_LONG=1 takes the issue's sizes and every
// setting at its default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <set>

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

struct Kills : HostsUnderFire {
  static constexpr std::uint32_t kConcurrency = 10;
  const std::size_t jobs = long_forms() ? 20'000 : 1'200;
  const int kills = long_forms() ? 30 : 6;
  std::size_t added = 0;
  std::vector<std::string> names{"one", "two"};
  std::map<std::string, std::unique_ptr<Process>> hosts;
  std::filesystem::path folder = server.folder();
  Duration slowest{0};

  std::unique_ptr<Process> start(const std::string& name, bool runners) const {
    std::vector<std::string> more{"--concurrency", std::to_string(kConcurrency), "--work", "5"};
    if (runners) {
      more.insert(more.end(), {"--runners", GAUR_TEST_TESTBED, (folder / ("run-" + name)).string()});
    }
    return host(name, more);
  }
  /// SIGKILL, and the same host again: what it held is back within a second of its return.
  void kill_host(const std::string& name, bool runners) {
    hosts.at(name)->kill9();
    const auto held = held_by(name);
    hosts.at(name) = start(name, runners);
    ASSERT_EQ(hosts.at(name)->line(), "ready");
    const Instant from = clock.now();
    ASSERT_TRUE(wait_until([&] {
      const auto still = held_by(name);
      return std::none_of(held.begin(), held.end(), [&](const auto& each) {
        const auto found = still.find(each.first);
        return found != still.end() && found->second == each.second;
      });
    }));
    slowest = std::max(slowest, std::chrono::duration_cast<Duration>(clock.now() - from));
  }
  void feed(Producer& producer) {
    const auto done = static_cast<std::size_t>(number({"ZCARD", "bull:query:completed"}));
    if (added >= jobs || added > done + 300) return;
    const auto ids = producer.add(50);
    added += ids.size();
  }
  void go(bool runners) {
    for (const auto& name : names) {
      hosts[name] = start(name, runners);
      ASSERT_EQ(hosts[name]->line(), "ready");
    }
    const NewJob job{.name = runners ? "sleep" : "work", .data = R"({"ms":5})"};
    Producer producer(*store, "query", "test/query", job);
    int killed = 0, hosts_killed = 0;
    std::size_t next = jobs / static_cast<std::size_t>(kills + 1);
    const bool all = wait_until(
        [&] {
          feed(producer);
          const auto done = static_cast<std::size_t>(number({"ZCARD", "bull:query:completed"}));
          if (killed < kills && done >= next) {
            const auto& name = names[static_cast<std::size_t>(killed) % 2];
            bool hit = true;
            if (runners && killed % 3 != 0) {
              hosts.at(name)->say("kill-runner");
              hit = hosts.at(name)->line() == "killed";
            } else {
              kill_host(name, runners);
              ++hosts_killed;
            }
            if (hit) {
              ++killed;
              next += jobs / static_cast<std::size_t>(kills + 1);
            }
          }
          return (added >= jobs && done >= added) || HasFatalFailure();
        },
        Duration{long_forms() ? 600'000 : 60'000});
    EXPECT_TRUE(all) << "completed " << number({"ZCARD", "bull:query:completed"}) << " of " << added
                     << ", active " << number({"LLEN", "bull:query:active"});
    EXPECT_EQ(killed, kills);
    EXPECT_EQ(number({"ZCARD", "bull:query:completed"}), static_cast<std::int64_t>(added));
    EXPECT_EQ(number({"ZCARD", "bull:query:failed"}), 0);
    const auto runs = number({"LLEN", "chaos:runs"});
    const std::int64_t again = runs - static_cast<std::int64_t>(added);
    EXPECT_LE(again, static_cast<std::int64_t>(kills) * kConcurrency);
    EXPECT_LT(slowest, Duration{1'000});
    std::printf("%zu jobs, %d kills (%d of hosts), %lld re-runs, slowest own recovery %lld ms\n", added,
                killed, hosts_killed, static_cast<long long>(again), static_cast<long long>(slowest.count()));
  }
};

TEST_F(Kills, of_hosts_lose_nothing) {
  go(false);
}

TEST_F(Kills, of_hosts_and_runners_lose_nothing) {
  go(true);
}

}  // namespace
}  // namespace gaur::test
