// The state machine of pools without processes: which runners are started, replaced and stopped.
#include "pool_fixture.hpp"

namespace gaur {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(PoolTest, RestartsWithGrowingPausesAndOpensTheBreaker) {
  open();
  start("a");
  exit(1, 0, 1);
  for (const auto& [id, pause] :
       {std::pair<RunnerId, Duration>{2, 100ms}, {3, 200ms}, {4, 400ms}, {5, 800ms}}) {
    calls();
    wait(pause - 1ms);
    EXPECT_THAT(calls(), IsEmpty());
    wait(1ms);
    EXPECT_THAT(calls(), ElementsAre("start " + std::to_string(id)));
    EXPECT_THAT(closed_, IsEmpty());
    exit(id, 0, 1);
  }
  ASSERT_EQ(closed_.size(), 1U);
  EXPECT_THAT(closed_[0], testing::HasSubstr("5 times in a row): it exited with code 1"));
  EXPECT_TRUE(ended<run::Interrupted>("a")) << "the job is requeued and no attempt counted";
  start("b");
  EXPECT_TRUE(ended<run::Interrupted>("b"));
  calls();
  wait(1600ms);
  EXPECT_THAT(calls(), ElementsAre("start 6")) << "one probe";
  ready(6);
  EXPECT_THAT(closed_, ElementsAre(testing::_, "open"));
  start("c");
  complete(6, "c");
  EXPECT_TRUE(ended<run::Completed>("c"));
}

TEST_F(PoolTest, PausesAtMostThirtySecondsBetweenStarts) {
  open();
  for (RunnerId id = 1; id < 20; ++id) {
    exit(id, 0, 1);
    wait(30s);
    ASSERT_EQ(processes_->started.size(), id + 1) << "a probe at least every 30 s";
  }
}

TEST_F(PoolTest, StartsTheProbeOfAPoolWithoutMinimumRunners) {
  PoolOptions options;
  options.min_runners = 0;
  open(options);
  EXPECT_THAT(calls(), IsEmpty());
  start("a");
  for (RunnerId id = 1; id <= 5; ++id) {
    exit(id, 0, 1);
    wait(800ms);
  }
  EXPECT_EQ(closed_.size(), 1U);
  wait(1600ms);
  ready(processes_->started.back().id);
  EXPECT_EQ(closed_.back(), "open");
}

TEST_F(PoolTest, CountsSimultaneousFailuresToStartOnce) {
  open();
  for (int i = 0; i < 8; ++i) start("r" + std::to_string(i));
  EXPECT_EQ(processes_->started.size(), 8U);
  wait(1ms);
  for (RunnerId id = 1; id <= 8; ++id) exit(id, 0, 1);
  EXPECT_THAT(closed_, IsEmpty());
}

TEST_F(PoolTest, CountsAnExitRightAfterReadyAsAFailedStart) {
  open();
  for (RunnerId id = 1; id <= 5; ++id) {
    ready(id);
    exit(id, 0, 0);
    wait(1600ms);
  }
  EXPECT_EQ(closed_.size(), 1U);
  ready(6);
  EXPECT_EQ(closed_.back(), "open");
  exit(6, 0, 0);
  EXPECT_NE(closed_.back(), "open") << "one more failure closes it again";
  wait(3200ms);
  ready(7);
  wait(1s);
  exit(7, 0, 0);
  EXPECT_EQ(closed_.back(), "open") << "a runner that ran for a second did start";
}

TEST_F(PoolTest, ReplacesAfterMaxJobsOnceTheSuccessorIsReady) {
  PoolOptions options;
  options.max_jobs = 2;
  open(options);
  ready(1);
  start("a");
  complete(1, "a");
  calls();
  start("b");
  wait(0ms);
  complete(1, "b");
  EXPECT_THAT(calls(), ElementsAre("run 1", "start 2"));
  start("c");
  EXPECT_THAT(calls(), ElementsAre("run 1")) << "it runs jobs until its successor is ready";
  ready(2);
  EXPECT_THAT(calls(), IsEmpty()) << "not during a job";
  complete(1, "c");
  EXPECT_THAT(calls(), ElementsAre("stop 1", "close 1"));
  start("d");
  EXPECT_THAT(calls(), ElementsAre("run 2"));
  wait(2s);
  EXPECT_THAT(calls(), ElementsAre("kill 1")) << "stop_grace is over";
  exit(1, 9);
  EXPECT_EQ(pools_->status().front().crashed, 0U);
}

TEST_F(PoolTest, ReplacesAtMostAQuarterAtOnce) {
  PoolOptions options;
  options.max_jobs = 1;
  options.min_runners = 8;
  open(options);
  for (RunnerId id = 1; id <= 8; ++id) ready(id);
  for (int i = 0; i < 8; ++i) start("r" + std::to_string(i));
  for (const auto& runner : pools_->runners("p")) {
    if (runner.run) complete(static_cast<RunnerId>(runner.pid - 1000), runner.run->value);
  }
  EXPECT_EQ(processes_->started.size(), 10U) << "two of eight have successors";
  ready(9);
  exit(1);
  EXPECT_EQ(processes_->started.size(), 11U);
}

TEST_F(PoolTest, ReplacesByMemoryAfterTheJobAndByAge) {
  PoolOptions options;
  options.max_rss_bytes = 1000;
  options.max_age = 1h;
  open(options);
  ready(1);
  start("a");
  processes_->events()->on_memory(1, 5000);
  complete(1, "a");
  EXPECT_EQ(processes_->started.size(), 1U) << "memory during the job does not count";
  processes_->events()->on_memory(1, 900);
  EXPECT_EQ(processes_->started.size(), 1U);
  processes_->events()->on_memory(1, 1001);
  EXPECT_EQ(processes_->started.size(), 2U);
  ready(2);
  exit(1);
  wait(1h);
  processes_->events()->on_memory(2, 10);
  EXPECT_EQ(processes_->started.size(), 3U);
}

TEST_F(PoolTest, StopsSurplusIdleRunners) {
  PoolOptions options;
  options.idle_after = 10s;
  open(options);
  start("a");
  start("b");
  ready(1);
  ready(2);
  complete(1, "a");
  complete(2, "b");
  calls();
  wait(9s);
  EXPECT_THAT(calls(), IsEmpty());
  wait(1s);
  EXPECT_EQ(calls().size(), 2U) << "stop and close of one";
  wait(1min);
  EXPECT_EQ(pools_->runners("p").size(), 2U);
  exit(1);
  EXPECT_EQ(pools_->runners("p").size(), 1U) << "min_runners stays";
}

TEST_F(PoolTest, ReportsIdleMemory) {
  open();
  ready(1);
  processes_->events()->on_memory(1, 50'000'000);
  EXPECT_EQ(idle_memory_, 50'000'000U);
  processes_->events()->on_memory(1, 50'500'000);
  EXPECT_EQ(idle_memory_, 50'000'000U) << "small changes are not reported";
  exit(1);
  EXPECT_EQ(idle_memory_, 0U);
}

TEST_F(PoolTest, CloseEndsAllRunnersBeforeItIsReady) {
  open();
  start("a");
  start("b");
  start("c");
  ready(1);
  ready(2);
  auto closed = pools_->close();
  env_.loop.run_ready();
  EXPECT_TRUE(ended<run::Interrupted>("c"));
  complete(1, "a");
  EXPECT_TRUE(ended<run::Interrupted>("a"));
  exit(1);
  exit(3, 9);
  EXPECT_FALSE(closed.ready());
  wait(3s);  // b ignores its cancellation
  exit(2, 9);
  EXPECT_TRUE(ended<run::Interrupted>("b"));
  EXPECT_TRUE(closed.ready());
  start("d");
  EXPECT_TRUE(ended<run::Interrupted>("d"));
}

TEST_F(PoolTest, IgnoresEventsOfRemovedRunnersAndPools) {
  open();
  ready(1);
  start("a", 1s);
  exit(1, 9);
  complete(1, "a");
  processes_->events()->on_memory(1, 1);
  processes_->events()->on_exit(1, {});
  EXPECT_EQ(ends_.size(), 1U);
  pools_.reset();
  wait(1min);  // remaining timers do nothing
}

TEST(PoolOptionsTest, ReportsEveryProblem) {
  PoolOptions options;
  options.threads = 0;
  options.min_runners = 5;
  options.max_runners = 2;
  options.start_timeout = Duration(0);
  options.env["A=B"] = "x";
  EXPECT_EQ(problems_of(options).size(), 5U);
  EXPECT_THAT(problems_of(options), testing::Contains("min_runners: at most max_runners (2), was 5"));
  options = {};
  options.command = {"node", "runner.js"};
  EXPECT_THAT(problems_of(options), testing::IsEmpty());
}

}  // namespace
}  // namespace gaur
