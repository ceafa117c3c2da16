// Redis and the way to it fail; the hosts live. Short by default; GAUR_LONG=1 takes the sizes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "chaos/host.hpp"
#include "chaos/proxy.hpp"
#include "support/redis_server.hpp"

namespace gaur::test {
namespace {

/// What every test of this file asks for: each acknowledged job completed exactly once, nothing else did,
/// nothing failed, nothing is left.
void expect_each_once(ChaosHost& host, const std::set<std::string>& asked, std::size_t may_be_more = 0) {
  EXPECT_TRUE(wait_until([&] {
    const auto counts = host.store().counts(QueueName("query")).get();
    return counts && (*counts)[State::kCompleted] >= asked.size() && counts->ready() == 0 &&
           (*counts)[State::kActive] == 0;
  })) << host.notes();
  Result<Counts> counts = Error{};
  // A verb may still meet the end of the last fault.
  ASSERT_TRUE(
      wait_until([&] { return (counts = host.store().counts(QueueName("query")).get()).has_value(); }));
  EXPECT_LE((*counts)[State::kCompleted], asked.size() + may_be_more);
  EXPECT_EQ((*counts)[State::kFailed], 0U) << host.notes();
  EXPECT_EQ((*counts)[State::kActive], 0U);
  const auto completed = host.completed();
  for (const auto& id : asked) {
    const auto found = completed.find(id);
    EXPECT_EQ(found == completed.end() ? 0 : found->second, 1) << "job " << id;
  }
}

/// Killed and restarted under load, every write synced: no acknowledged add is lost, none completed twice.
TEST(Chaos, redis_is_killed_and_restarted_under_load) {
  const int kills = long_forms() ? 10 : 3;
  const Duration load{long_forms() ? 2'000 : 500};
  RedisServer server({.appendonly = true});
  ChaosHost host({.port = server.port()});
  host.start();
  std::atomic<bool> done{false};
  std::set<std::string> asked;
  std::uint64_t repeats = 0;
  std::thread producing([&] {
    SystemClock clock;
    SystemRandom random;
    ThreadLoop loop("producer");
    redis::ClientOptions options;
    options.endpoint.port = server.port();
    const auto client = redis::connect(options, {clock, random, loop});
    const auto store = bull::make_bull_store(*client, {clock, random, loop}, {});
    Producer producer(*store, "query", "producer/query");
    while (!done) {
      for (auto& id : producer.add(5)) asked.insert(std::move(id));
      let_pass(Duration{2});
    }
    repeats = producer.repeats();
  });
  for (int kill = 0; kill < kills; ++kill) {
    let_pass(load);
    server.kill9();
    let_pass(Duration{50});
    server.restart();
  }
  let_pass(load);
  done = true;
  producing.join();
  EXPECT_GT(asked.size(), 100U);
  expect_each_once(host, asked);
  std::printf("%d kills, %zu jobs, %llu adds sent again, %llu turns sent again\n", kills, asked.size(),
              static_cast<unsigned long long>(repeats),
              static_cast<unsigned long long>(host.counters().repeats));
}

/// Every reply of every script is lost once: exactly the jobs asked for, and nothing lies about for 2 s.
TEST(Chaos, each_reply_is_cut_once) {
  const int rounds = long_forms() ? 200 : 15;
  RedisServer server;
  Proxy proxy(server.port());
  ChaosHost host({.port = proxy.port()});
  host.start();
  Producer producer(host.store(), "query", "producer/query");
  ASSERT_EQ(producer.add(1).size(), 1U);
  ASSERT_TRUE(wait_until([&] { return host.completions() == 1; }));
  proxy.cut_each_script_once(true);
  SystemClock clock;
  std::size_t asked = 1;
  Duration longest{0};
  std::set<std::string> ids;
  for (int round = 0; round < rounds; ++round) {
    const auto added = producer.add(static_cast<std::size_t>(1 + round % 3));
    ASSERT_EQ(added.size(), static_cast<std::size_t>(1 + round % 3));
    ids.insert(added.begin(), added.end());
    asked += added.size();
    const Instant from = clock.now();
    EXPECT_TRUE(wait_until([&] { return host.completions() == asked; })) << host.notes();
    longest = std::max(longest, std::chrono::duration_cast<Duration>(clock.now() - from));
  }
  EXPECT_LT(longest, Duration{2'000});
  EXPECT_GE(proxy.cuts(), static_cast<std::uint64_t>(rounds));
  EXPECT_GE(producer.repeats(), static_cast<std::uint64_t>(rounds));
  proxy.cut_each_script_once(false);
  for (const auto& [id, runs] : host.runs()) EXPECT_EQ(runs, 1) << "job " << id;
  expect_each_once(host, ids, 1);  // the first job is not among them
  EXPECT_EQ(host.store().counts(QueueName("query")).get().value_or(Counts{})[State::kCompleted], asked);
  std::printf("%llu replies cut, the longest wait for a job %lld ms\n",
              static_cast<unsigned long long>(proxy.cuts()), static_cast<long long>(longest.count()));
}

/// Drops everything for a while without closing the connections.
TEST(Chaos, a_black_hole) {
  const Duration hole{long_forms() ? 10'000 : 2'000};
  RedisServer server;
  Proxy proxy(server.port());
  ChaosHostOptions options{.port = proxy.port(), .work = Duration{20}};
  if (!long_forms()) {
    options.redis.command_timeout = options.redis.silence_timeout = options.redis.connect_timeout =
        Duration{500};
  }
  ChaosHost host(std::move(options));
  host.start();
  Producer producer(host.store(), "query", "producer/query");
  std::set<std::string> asked;
  for (auto& id : producer.add(100)) asked.insert(std::move(id));
  ASSERT_TRUE(wait_until([&] { return host.completions() > 10; }));
  proxy.black_hole(true);
  const SystemClock clock;
  const Instant from = clock.now();
  ASSERT_TRUE(wait_until([&] { return !host.client().connected(); }));
  const auto noticed = std::chrono::duration_cast<Duration>(clock.now() - from);
  EXPECT_LT(noticed, hole);
  let_pass(hole - noticed);
  proxy.black_hole(false);
  const Instant healed = clock.now();
  for (auto& id : producer.add(20)) asked.insert(std::move(id));
  expect_each_once(host, asked);
  for (const auto& [id, runs] : host.runs()) EXPECT_EQ(runs, 1) << "job " << id;
  std::printf("noticed after %lld ms, all done %lld ms after its end\n",
              static_cast<long long>(noticed.count()),
              static_cast<long long>(std::chrono::duration_cast<Duration>(clock.now() - healed).count()));
}

TEST(Chaos, scripts_are_flushed_ten_times_a_second) {
  const std::size_t jobs = long_forms() ? 20'000 : 1'500;
  RedisServer server;
  ChaosHost host({.port = server.port()});
  host.start();
  Producer producer(host.store(), "query", "producer/query");
  std::set<std::string> asked;
  std::atomic<bool> done{false};
  int flushes = 0;
  std::thread flushing([&] {
    while (!done) {
      server.call({"SCRIPT", "FLUSH"});
      ++flushes;
      let_pass(Duration{100});
    }
  });
  while (asked.size() < jobs) {
    for (auto& id : producer.add(10)) asked.insert(std::move(id));
    wait_until([&] { return host.completions() + 200 > asked.size(); });
  }
  expect_each_once(host, asked);
  done = true;
  flushing.join();
  EXPECT_EQ(host.counters().store_errors, 0U);
  for (const auto& [id, runs] : host.runs()) EXPECT_EQ(runs, 1) << "job " << id;
  std::printf("%zu jobs, %d flushes\n", asked.size(), flushes);
}

/// A host whose clock runs 61 s ahead wakes nothing before its time, neither another's job nor its own.
TEST(Chaos, a_clock_that_is_a_minute_ahead_wakes_nothing_early) {
  RedisServer server;
  const SystemClock clock;
  std::mutex mutex;
  std::map<std::string, Time> started;
  ChaosHost fast({.port = server.port(), .clock_ahead = Duration{61'000}, .on_run = [&](const Job& job) {
                    std::lock_guard lock(mutex);
                    started.emplace(job.id.value, clock.wall());
                  }});
  ChaosHost right({.name = "right", .port = server.port()});  // produces only
  fast.start();
  const Duration delay{long_forms() ? 5'000 : 1'500};
  Producer others(right.store(), "query", "right/query"), own(fast.store(), "query", "fast/query");
  const Time from = clock.wall();
  std::vector<std::string> ids = others.add(3, delay);
  for (auto& id : own.add(3, delay)) ids.push_back(std::move(id));
  ASSERT_TRUE(wait_until([&] { return fast.completions() == 6; }, delay + Duration{15'000})) << fast.notes();
  std::lock_guard lock(mutex);
  for (const auto& id : ids) {
    const auto after = started.at(id) - from;
    EXPECT_GE(after, delay) << "job " << id;
    EXPECT_LT(after, delay + Duration{2'000}) << "job " << id;
  }
}

}  // namespace
}  // namespace gaur::test
