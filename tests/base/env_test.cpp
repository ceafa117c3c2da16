#include "base/env.hpp"

#include <gmock/gmock.h>

#include "base/manual_env.hpp"
#include "base/system_env.hpp"
#include "gaur/future.hpp"

namespace gaur {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

// What a test expects to see happen; longer than any machine needs, shorter than a test's patience.
constexpr auto kSoon = 30s;

TEST(ThreadLoop, RunsTasksInTheOrderOfPosting) {
  std::vector<int> seen;
  {
    ThreadLoop loop("order");
    for (int i = 0; i < 1000; ++i) loop.post([&, i] { seen.push_back(i); });
  }
  ASSERT_EQ(seen.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(ThreadLoop, TasksOfManyThreadsNeverOverlap) {
  int plain = 0;  // not atomic: the loop's thread alone touches it
  {
    ThreadLoop loop("many");
    std::vector<std::thread> posters;
    for (int t = 0; t < 8; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < 500; ++i) loop.post([&] { ++plain; });
      });
    }
    for (auto& poster : posters) poster.join();
  }
  EXPECT_EQ(plain, 4000);
}

TEST(ThreadLoop, RunsTimersByDueTimeAndNotBefore) {
  const SystemClock clock;
  Promise<Unit> done;
  std::vector<int> seen;
  bool early = false;
  ThreadLoop loop("timers");
  const Instant start = clock.now();
  const auto note = [&](int n, Duration due) {
    early = early || clock.now() < start + due;
    seen.push_back(n);
    if (seen.size() == 3) done.set({});
  };
  loop.post_at(start + 40ms, [&] { note(3, 40ms); });
  loop.post_at(start + 5ms, [&] { note(1, 5ms); });
  loop.post_at(start + 20ms, [&] { note(2, 20ms); });
  done.future().get();
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_FALSE(early);
}

TEST(ThreadLoop, CancelsDueTimerOnTheLoop) {
  const SystemClock clock;
  ThreadLoop loop("cancel");
  Promise<bool> done;
  bool ran = false;
  loop.post([&] {
    // Both are due before this task ends, so they are moved to the queue together; the first cancels the
    // second.
    auto second = std::make_shared<Loop::TimerId>(0);
    loop.post_at(clock.now() - 2ms, [&loop, second] { loop.cancel(*second); });
    *second = loop.post_at(clock.now() - 1ms, [&] { ran = true; });
    loop.post_at(clock.now(), [&] { done.set(ran); });
  });
  EXPECT_FALSE(done.future().get());
}

TEST(ThreadLoop, IgnoresCancelOfUnknownTimers) {
  const SystemClock clock;
  ThreadLoop loop("unknown");
  Promise<Unit> done;
  const auto id = loop.post_at(clock.now(), [&] { done.set({}); });
  done.future().get();
  loop.cancel(id);
  loop.cancel(0);
  loop.cancel(123456);
}

TEST(ThreadLoop, RunsPostedTasksAndDropsTimersOnDestruction) {
  const SystemClock clock;
  bool posted = false;
  bool timer = false;
  auto held = std::make_shared<int>(1);
  {
    ThreadLoop loop("end");
    loop.post_at(clock.now() + 24h, [&, held] { timer = true; });
    loop.post([&] { loop.post([&] { posted = true; }); });
  }
  EXPECT_TRUE(posted);
  EXPECT_FALSE(timer);
  EXPECT_EQ(held.use_count(), 1) << "a dropped timer releases what it holds";
}

TEST(ThreadLoop, WakesForEarlierTimer) {
  const SystemClock clock;
  ThreadLoop loop("earlier");
  Promise<Unit> waiting;
  loop.post_at(clock.now() + 24h, [] {});
  loop.post([&] { waiting.set({}); });
  waiting.future().get();
  Promise<Unit> done;
  const Instant start = clock.now();
  loop.post_at(start + 1ms, [&] { done.set({}); });
  done.future().get();
  EXPECT_LT(clock.now() - start, kSoon);
}

TEST(ManualLoop, AdvancesTimeOnlyByCalls) {
  ManualEnv env;
  std::vector<int> seen;
  env.loop.post_at(env.clock.now() + 10ms, [&] { seen.push_back(2); });
  env.loop.post([&] { seen.push_back(1); });
  env.loop.run_ready();
  EXPECT_THAT(seen, ElementsAre(1));
  env.loop.run_for(9ms);
  EXPECT_THAT(seen, ElementsAre(1));
  env.loop.run_for(1ms);
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(ManualLoop, StopsAtEachTimer) {
  ManualEnv env;
  const Instant start = env.clock.now();
  std::vector<std::int64_t> seen;
  std::function<void()> tick = [&] {
    seen.push_back(std::chrono::duration_cast<Duration>(env.clock.now() - start).count());
    env.loop.post_at(env.clock.now() + 100ms, tick);
  };
  env.loop.post_at(start + 100ms, tick);
  env.loop.run_for(350ms);
  EXPECT_THAT(seen, ElementsAre(100, 200, 300));
  EXPECT_EQ(env.clock.now() - start, 350ms);
}

TEST(ManualLoop, RunsTimersOfOneInstantInOrder) {
  ManualEnv env;
  std::vector<int> seen;
  const Instant due = env.clock.now() + 1ms;
  Loop::TimerId third = 0;
  env.loop.post_at(due, [&] { seen.push_back(1); });
  env.loop.post_at(due, [&] {
    seen.push_back(2);
    env.loop.cancel(third);
  });
  third = env.loop.post_at(due, [&] { seen.push_back(3); });
  env.loop.run_for(1ms);
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(ManualEnv, RepeatsNumbersOfASeed) {
  ManualEnv a(7);
  ManualEnv b(7);
  ManualEnv c(8);
  const auto first = a.random.next();
  EXPECT_EQ(first, b.random.next());
  EXPECT_NE(first, c.random.next());
}

TEST(ManualEnv, KeepsMonotonicClockWhenWallClockJumps) {
  ManualEnv env;
  const Instant now = env.clock.now();
  const Time wall = env.clock.wall();
  env.clock.jump_wall(-1h);
  EXPECT_EQ(env.clock.now(), now);
  EXPECT_EQ(env.clock.wall(), wall - 1h);
}

TEST(Random, UnitIsInTheHalfOpenInterval) {
  struct Fixed final : Random {
    std::uint64_t value = 0;
    std::uint64_t next() override { return value; }
  } random;
  EXPECT_EQ(random.unit(), 0.0);
  random.value = ~std::uint64_t{0};
  EXPECT_LT(random.unit(), 1.0);
  EXPECT_GT(random.unit(), 0.999999);
}

TEST(SystemRandom, ManyThreadsDrawDifferentNumbers) {
  SystemRandom random;
  std::mutex mutex;
  std::set<std::uint64_t> seen;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        const auto value = random.next();
        std::lock_guard lock(mutex);
        seen.insert(value);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace gaur
