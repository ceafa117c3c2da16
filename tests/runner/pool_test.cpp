// The pools' state machine without a process.
#include "pool_fixture.hpp"

namespace gaur {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(PoolTest, RunsWaitInsideUntilARunnerIsReady) {
  open();
  EXPECT_THAT(calls(), ElementsAre("start 1"));
  start("a");
  start("b");
  EXPECT_THAT(calls(), ElementsAre("start 2")) << "one starting runner serves one run";
  ready(1);
  EXPECT_THAT(calls(), ElementsAre("run 1"));
  complete(1, "a");
  EXPECT_TRUE(ended<run::Completed>("a"));
  EXPECT_THAT(calls(), ElementsAre("run 1"))
      << "the free runner takes the next run though another is starting";
  ready(2);
  complete(1, "b");
  EXPECT_TRUE(ended<run::Completed>("b"));
}

TEST_F(PoolTest, AnUnknownFunctionFailsForGood) {
  open();
  RunRequest request;
  request.taken.token = LockToken("x");
  request.taken.function = FunctionName("nobody");
  pools_->start(std::move(request), *this);
  const auto* failed = ended<run::Failed>("x");
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->final);
  EXPECT_EQ(failed->failure.code, "unknown_function");
}

TEST_F(PoolTest, TheDeadlineGoesByCancelTermKill) {
  open();
  ready(1);
  start("a", 1000ms);
  calls();
  wait(999ms);
  EXPECT_THAT(calls(), IsEmpty());
  wait(1ms);
  EXPECT_THAT(calls(), ElementsAre("cancel 1"));
  wait(249ms);
  EXPECT_THAT(calls(), IsEmpty());
  wait(1ms);
  EXPECT_THAT(calls(), ElementsAre("term 1"));
  wait(149ms);
  EXPECT_THAT(calls(), IsEmpty());
  wait(1ms);
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
  EXPECT_FALSE(ended<run::TimedOut>("a")) << "it ends when its runner is dead";
  exit(1, 9);
  ASSERT_TRUE(ended<run::TimedOut>("a"));
  EXPECT_EQ(ended<run::TimedOut>("a")->after, 1000ms);
  EXPECT_THAT(calls(), ElementsAre("start 2"));
}

TEST_F(PoolTest, WhatAnswersTheCancelKeepsItsRunner) {
  open();
  ready(1);
  start("a", 100ms);
  wait(150ms);
  complete(1, "a");
  EXPECT_TRUE(ended<run::TimedOut>("a")) << "what the job becomes was decided with the cancel";
  calls();
  wait(5s);
  EXPECT_THAT(calls(), IsEmpty()) << "no TERM or KILL reaches a runner that answered";
  start("b");
  EXPECT_THAT(calls(), ElementsAre("run 1"));
}

TEST_F(PoolTest, ADeadlineHastensACancel) {
  open();
  ready(1);
  start("a", 1000ms);
  wait(900ms);
  pools_->stop(LockToken("a"), StopReason::kCancel, "me", "enough");
  calls();
  wait(349ms);
  EXPECT_THAT(calls(), IsEmpty());
  wait(1ms);
  EXPECT_THAT(calls(), ElementsAre("term 1")) << "0.25 s after the deadline, not 2 s after the cancel";
  exit(1, 15);
  const auto* cancelled = ended<run::Cancelled>("a");
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->who, "me");
}

TEST_F(PoolTest, AnAnswerAfterTermIsTheRunnersLast) {
  open();
  ready(1);
  start("a", 100ms);
  wait(360ms);
  calls();
  complete(1, "a");
  EXPECT_THAT(calls(), ElementsAre("kill 1", "start 2"));
  EXPECT_TRUE(ended<run::TimedOut>("a"));
  exit(1, 9);
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(PoolTest, StopReasonsDecideTheEnd) {
  open();
  ready(1);
  const std::pair<StopReason, std::size_t> cases[] = {
      {StopReason::kCancel, RunEnd(run::Cancelled{}).index()},
      {StopReason::kTimeout, RunEnd(run::TimedOut{}).index()},
      {StopReason::kLockLost, RunEnd(run::Interrupted{}).index()},
      {StopReason::kHostStops, RunEnd(run::Interrupted{}).index()}};
  int number = 0;
  for (const auto& [reason, kind] : cases) {
    const std::string running = "run" + std::to_string(++number), waiting = "wait" + std::to_string(number);
    start(running);
    start(waiting);
    pools_->stop(LockToken(waiting), reason, "w", "y");
    EXPECT_EQ(ends_.at(waiting).index(), kind) << "one that waits inside ends at once";
    pools_->stop(LockToken(running), reason, "w", "y");
    complete(1, running);
    EXPECT_EQ(ends_.at(running).index(), kind);
  }
  pools_->stop(LockToken("unknown"), StopReason::kCancel, "", "");
}

TEST_F(PoolTest, MemoryOverTheBoundKills) {
  PoolOptions options;
  options.memory_bytes = 500;
  open(options);
  ready(1);
  start("a", {}, 1000);
  EXPECT_EQ(shell_->limits[1], 1000U) << "the run's grant, not the pool's bound";
  calls();
  shell_->events()->on_memory(1, 1000);
  EXPECT_THAT(calls(), IsEmpty());
  shell_->events()->on_memory(1, 1001);
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
  shell_->events()->on_memory(1, 1500);
  EXPECT_THAT(calls(), IsEmpty()) << "killed once, and replaced when its memory is back";
  exit(1, 9);
  EXPECT_THAT(calls(), ElementsAre("start 2"));
  const auto* over = ended<run::OutOfMemory>("a");
  ASSERT_TRUE(over);
  EXPECT_EQ(over->bound_bytes, 1000U);
  EXPECT_EQ(over->peak_bytes, 1500U);
  ready(2);
  start("b");
  EXPECT_EQ(shell_->limits[2], 500U);
}

TEST_F(PoolTest, ADeathAtTheBoundIsMemoryADeathFarFromItIsACrash) {
  open();
  ready(1);
  start("a", {}, 1000);
  shell_->events()->on_memory(1, 950);
  exit(1, 6);
  EXPECT_TRUE(ended<run::OutOfMemory>("a"));
  ready(2);
  start("b", {}, 1000);
  shell_->events()->on_memory(2, 500);
  exit(2, 6);
  const auto* crashed = ended<run::Crashed>("b");
  ASSERT_TRUE(crashed);
  EXPECT_EQ(crashed->message, "its runner died of SIGABRT");
}

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
  EXPECT_TRUE(ended<run::Interrupted>("a")) << "back to the queue, nothing counted";
  start("b");
  EXPECT_TRUE(ended<run::Interrupted>("b"));
  calls();
  wait(1600ms);
  EXPECT_THAT(calls(), ElementsAre("start 6")) << "half open: one probe";
  ready(6);
  EXPECT_THAT(closed_, ElementsAre(testing::_, "open"));
  start("c");
  complete(6, "c");
  EXPECT_TRUE(ended<run::Completed>("c"));
}

TEST_F(PoolTest, PausesStopGrowingAtTheirBound) {
  open();
  for (RunnerId id = 1; id < 20; ++id) {
    exit(id, 0, 1);
    wait(30s);
    ASSERT_EQ(shell_->started.size(), id + 1) << "a probe at least every 30 s";
  }
}

TEST_F(PoolTest, TheProbeComesAlsoWithoutWarmRunners) {
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
  ready(shell_->started.back().id);
  EXPECT_EQ(closed_.back(), "open");
}

TEST_F(PoolTest, StartedTogetherFailedTogetherCountsOnce) {
  open();
  for (int i = 0; i < 8; ++i) start("r" + std::to_string(i));
  EXPECT_EQ(shell_->started.size(), 8U);
  wait(1ms);
  for (RunnerId id = 1; id <= 8; ++id) exit(id, 0, 1);
  EXPECT_THAT(closed_, IsEmpty());
}

TEST_F(PoolTest, ReadyThenGoneWithoutAJobIsNoStart) {
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
  EXPECT_EQ(closed_.back(), "open") << "a second of life counts as a start";
}

TEST_F(PoolTest, BrokenFramesAndForeignRunsAreCrashes) {
  open();
  ready(1);
  start("a");
  complete(1, "someone else's");
  EXPECT_FALSE(ended<run::Crashed>("a"));
  exit(1, 9);
  const auto* crashed = ended<run::Crashed>("a");
  ASSERT_TRUE(crashed);
  EXPECT_THAT(crashed->message,
              testing::HasSubstr("broken frame: run \"someone else's\" is not running here"));
}

TEST_F(PoolTest, ReplacesByJobsWarmSpareFirst) {
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
  EXPECT_THAT(calls(), ElementsAre("run 1")) << "it serves until its successor is ready";
  ready(2);
  EXPECT_THAT(calls(), IsEmpty()) << "never under a job";
  complete(1, "c");
  EXPECT_THAT(calls(), ElementsAre("stop 1", "close 1"));
  start("d");
  EXPECT_THAT(calls(), ElementsAre("run 2"));
  wait(2s);
  EXPECT_THAT(calls(), ElementsAre("kill 1")) << "stop_grace is over";
  exit(1, 9);
  EXPECT_EQ(pools_->status().front().crashed, 0U);
}

TEST_F(PoolTest, AtMostAQuarterIsReplacedAtOnce) {
  PoolOptions options;
  options.max_jobs = 1;
  options.min_runners = 8;
  open(options);
  for (RunnerId id = 1; id <= 8; ++id) ready(id);
  for (int i = 0; i < 8; ++i) start("r" + std::to_string(i));
  for (const auto& runner : pools_->runners("p")) {
    if (runner.run) complete(static_cast<RunnerId>(runner.pid - 1000), runner.run->value);
  }
  EXPECT_EQ(shell_->started.size(), 10U) << "two of eight have successors";
  ready(9);
  exit(1);
  EXPECT_EQ(shell_->started.size(), 11U);
}

TEST_F(PoolTest, ReplacesByMemoryMeasuredAfterTheJobAndByAge) {
  PoolOptions options;
  options.max_rss_bytes = 1000;
  options.max_age = 1h;
  open(options);
  ready(1);
  start("a");
  shell_->events()->on_memory(1, 5000);
  complete(1, "a");
  EXPECT_EQ(shell_->started.size(), 1U) << "what it held under the job says nothing";
  shell_->events()->on_memory(1, 900);
  EXPECT_EQ(shell_->started.size(), 1U);
  shell_->events()->on_memory(1, 1001);
  EXPECT_EQ(shell_->started.size(), 2U);
  ready(2);
  exit(1);
  wait(1h);
  shell_->events()->on_memory(2, 10);
  EXPECT_EQ(shell_->started.size(), 3U);
}

TEST_F(PoolTest, SurplusIdleRunnersAreStopped) {
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

TEST_F(PoolTest, ProgressIsToldTwentyTimesASecondAndTheLastOneCounts) {
  open();
  ready(1);
  start("a");
  for (int i = 0; i < 100; ++i) {
    shell_->events()->on_frame(1, frame::Progress{"a", std::to_string(i)}, {});
    wait(10ms);
  }
  EXPECT_GE(progress_.size(), 18U);
  EXPECT_LE(progress_.size(), 21U);
  shell_->events()->on_frame(1, frame::Progress{"a", "\"last\""}, {});
  complete(1, "a");
  EXPECT_EQ(progress_.back(), "\"last\"");
}

TEST_F(PoolTest, MeasuredFiguresWinOverTheRunnersOwn) {
  open();
  ready(1);
  start("a");
  frame::Completed done{"a", "1", {}, {}};
  done.usage = {.cpu_us = 1, .peak_rss_bytes = 2, .wall_us = 3, .details = "{\"rows\":1}"};
  wait(5ms);
  shell_->events()->on_frame(1, done, {70, 80});
  EXPECT_EQ(usages_["a"], (Usage{70, 80, 5000, "{\"rows\":1}"}));
  start("b");
  done.run = "b";
  shell_->events()->on_frame(1, done, {});
  EXPECT_EQ(usages_["b"].cpu_us, 1U) << "where Gaur measured nothing, the runner is believed";
}

TEST_F(PoolTest, OurOwnCodesAreNotAcceptedFromARunner) {
  open();
  ready(1);
  for (const std::string code : {"timeout", "queue_timeout", "memory", "crashed", "cancelled", "stalled"}) {
    start(code);
    frame::Failed failed;
    failed.run = code;
    failed.failure.code = code;
    failed.failure.message = "m";
    shell_->events()->on_frame(1, failed, {});
    EXPECT_EQ(ended<run::Failed>(code)->failure.code, "error");
  }
}

TEST_F(PoolTest, IdleMemoryIsTold) {
  open();
  ready(1);
  shell_->events()->on_memory(1, 50'000'000);
  EXPECT_EQ(idle_memory_, 50'000'000U);
  shell_->events()->on_memory(1, 50'500'000);
  EXPECT_EQ(idle_memory_, 50'000'000U) << "small changes are not told";
  exit(1);
  EXPECT_EQ(idle_memory_, 0U);
}

TEST_F(PoolTest, CloseEndsAllAndIsReadyWhenNothingIsLeft) {
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
  wait(3s);  // b is deaf
  exit(2, 9);
  EXPECT_TRUE(ended<run::Interrupted>("b"));
  EXPECT_TRUE(closed.ready());
  start("d");
  EXPECT_TRUE(ended<run::Interrupted>("d"));
}

TEST_F(PoolTest, LateEventsOfGoneRunnersAndPoolsDoNothing) {
  open();
  ready(1);
  start("a", 1s);
  exit(1, 9);
  complete(1, "a");
  shell_->events()->on_memory(1, 1);
  shell_->events()->on_exit(1, {});
  EXPECT_EQ(ends_.size(), 1U);
  pools_.reset();
  wait(1min);  // timers that are left find nobody
}

TEST(PoolOptionsTest, EveryProblemIsTold) {
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
