// The state machine of pools without processes: runs, their deadlines and their ends.
#include <csignal>

#include "pool_fixture.hpp"

namespace gaur {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST_F(PoolTest, QueuesRunsUntilARunnerIsReady) {
  open();
  EXPECT_THAT(calls(), ElementsAre("start 1"));
  start("a");
  start("b");
  EXPECT_THAT(calls(), ElementsAre("start 2")) << "one starting runner for each queued run";
  ready(1);
  EXPECT_THAT(calls(), ElementsAre("run 1"));
  complete(1, "a");
  EXPECT_TRUE(ended<run::Completed>("a"));
  EXPECT_THAT(calls(), ElementsAre("run 1"))
      << "the idle runner takes the next run while another is starting";
  ready(2);
  complete(1, "b");
  EXPECT_TRUE(ended<run::Completed>("b"));
}

TEST_F(PoolTest, FailsAnUnknownFunctionFinally) {
  open();
  RunRequest request;
  request.taken.token = LockToken("x");
  request.taken.function = FunctionName("unknown");
  pools_->start(std::move(request), *this);
  const auto* failed = ended<run::Failed>("x");
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->final);
  EXPECT_EQ(failed->failure.code, "unknown_function");
}

TEST_F(PoolTest, SendsCancelThenSigtermThenSigkillAtTheDeadline) {
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
  EXPECT_FALSE(ended<run::TimedOut>("a")) << "the run ends when its runner is dead";
  exit(1, 9);
  ASSERT_TRUE(ended<run::TimedOut>("a"));
  EXPECT_EQ(ended<run::TimedOut>("a")->after, 1000ms);
  EXPECT_THAT(calls(), ElementsAre("start 2"));
}

TEST_F(PoolTest, KeepsARunnerThatAnswersTheCancel) {
  open();
  ready(1);
  start("a", 100ms);
  wait(150ms);
  complete(1, "a");
  EXPECT_TRUE(ended<run::TimedOut>("a")) << "the cancel determines the end";
  calls();
  wait(5s);
  EXPECT_THAT(calls(), IsEmpty()) << "no SIGTERM or SIGKILL after an outcome";
  start("b");
  EXPECT_THAT(calls(), ElementsAre("run 1"));
}

TEST_F(PoolTest, ShortensACancelsGraceAtTheDeadline) {
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

TEST_F(PoolTest, KillsARunnerThatAnswersAfterSigterm) {
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

TEST_F(PoolTest, StopReasonDeterminesTheEnd) {
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
    EXPECT_EQ(ends_.at(waiting).index(), kind) << "a queued run ends at once";
    pools_->stop(LockToken(running), reason, "w", "y");
    complete(1, running);
    EXPECT_EQ(ends_.at(running).index(), kind);
  }
  pools_->stop(LockToken("unknown"), StopReason::kCancel, "", "");
}

TEST_F(PoolTest, KillsARunnerOverItsMemoryLimit) {
  PoolOptions options;
  options.memory_bytes = 500;
  open(options);
  ready(1);
  start("a", {}, 1000);
  EXPECT_EQ(processes_->limits[1], 1000U) << "the run's grant, not the pool's limit";
  calls();
  processes_->events()->on_memory(1, 1000);
  EXPECT_THAT(calls(), IsEmpty());
  processes_->events()->on_memory(1, 1001);
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
  processes_->events()->on_memory(1, 1500);
  EXPECT_THAT(calls(), IsEmpty()) << "killed once, and replaced after its exit";
  exit(1, 9);
  EXPECT_THAT(calls(), ElementsAre("start 2"));
  const auto* over = ended<run::OutOfMemory>("a");
  ASSERT_TRUE(over);
  EXPECT_EQ(over->bound_bytes, 1000U);
  EXPECT_EQ(over->peak_bytes, 1500U);
  ready(2);
  start("b");
  EXPECT_EQ(processes_->limits[2], 500U);
}

TEST_F(PoolTest, ReportsADeathNearTheMemoryLimitAsOutOfMemory) {
  open();
  ready(1);
  start("a", {}, 1000);
  processes_->events()->on_memory(1, 950);
  exit(1, 6);
  EXPECT_TRUE(ended<run::OutOfMemory>("a"));
  ready(2);
  start("b", {}, 1000);
  processes_->events()->on_memory(2, 500);
  exit(2, 6);
  const auto* crashed = ended<run::Crashed>("b");
  ASSERT_TRUE(crashed);
  EXPECT_EQ(crashed->message, "its runner died of SIGABRT");
}

TEST_F(PoolTest, GivesARunItsMemoryBesideWhatTheRunnerKept) {
  constexpr std::uint64_t kMb = 1 << 20;
  open();
  ready(1);
  processes_->events()->on_memory(1, 50 * kMb);
  start("a", {}, 1000 * kMb);
  complete(1, "a", {.kept_bytes = 450 * kMb});
  start("b", {}, 1000 * kMb);
  EXPECT_EQ(processes_->limits[1], 1400 * kMb);
  EXPECT_EQ(pools_->idle_memory(), 400 * kMb) << "counted beside the run's grant";
  processes_->events()->on_memory(1, 1400 * kMb);
  EXPECT_THAT(calls(), Not(Contains("kill 1")));
  processes_->events()->on_memory(1, 1400 * kMb + 1);
  EXPECT_THAT(calls(), Contains("kill 1"));
}

TEST_F(PoolTest, ReplacesARunnerThatKeptOverHalfOfTheNextLimit) {
  open();
  ready(1);
  processes_->events()->on_memory(1, 700);
  start("a", {}, 1000);
  complete(1, "a", {.kept_bytes = 1100});
  calls();
  start("b", {}, 1000);
  EXPECT_THAT(calls(), ElementsAre("run 1")) << "400 kept; 700 are the program's own";
  complete(1, "b", {.kept_bytes = 1300});
  calls();
  start("c", {}, 1000);
  EXPECT_THAT(calls(), ElementsAre("stop 1", "close 1", "start 2"));
  ready(2);
  EXPECT_THAT(calls(), ElementsAre("run 2"));
  complete(2, "c");
  EXPECT_TRUE(ended<run::Completed>("c"));
}

TEST_F(PoolTest, DistinguishesTheKernelsKillForMemory) {
  open();
  ready(1);
  start("a", {}, 1000);
  RunnerExit killed{"", SIGKILL, 0, {}};
  processes_->events()->on_exit(1, killed);
  EXPECT_TRUE(ended<run::Crashed>("a"));
  ready(2);
  start("b", {}, 1000);
  killed.oom_killed = true;
  processes_->events()->on_exit(2, killed);
  EXPECT_TRUE(ended<run::OutOfMemory>("b"));
}

TEST_F(PoolTest, FailsARunOverItsLimitOfProcesses) {
  open();
  ready(1);
  start("a");
  RunnerExit killed{"", SIGKILL, 0, {}};
  killed.over_processes = 1030;
  processes_->events()->on_exit(1, killed);
  ASSERT_TRUE(ended<run::Failed>("a"));
}

TEST_F(PoolTest, RequeuesTheRunOfARunnerThatCouldNotBeCleaned) {
  open();
  ready(1);
  start("a");
  complete(1, "a");
  start("b");
  calls();
  processes_->events()->on_unclean(1, "2 processes of an ended job survived SIGKILL");
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
  exit(1, 9);
  EXPECT_TRUE(ended<run::Interrupted>("b")) << "no attempt counted";
}

TEST_F(PoolTest, TreatsAFrameOfAnotherRunAsACrash) {
  open();
  ready(1);
  start("a");
  complete(1, "other");
  EXPECT_FALSE(ended<run::Crashed>("a"));
  exit(1, 9);
  const auto* crashed = ended<run::Crashed>("a");
  ASSERT_TRUE(crashed);
  EXPECT_THAT(crashed->message, testing::HasSubstr("broken frame: run \"other\" is not running here"));
}

TEST_F(PoolTest, ReportsProgressTwentyTimesASecondAndTheLastValue) {
  open();
  ready(1);
  start("a");
  for (int i = 0; i < 100; ++i) {
    processes_->events()->on_frame(1, frame::Progress{"a", std::to_string(i)}, {});
    wait(10ms);
  }
  EXPECT_GE(progress_.size(), 18U);
  EXPECT_LE(progress_.size(), 21U);
  processes_->events()->on_frame(1, frame::Progress{"a", "\"last\""}, {});
  complete(1, "a");
  EXPECT_EQ(progress_.back(), "\"last\"");
}

TEST_F(PoolTest, PrefersMeasuredUsageToReportedUsage) {
  open();
  ready(1);
  start("a");
  frame::Completed done{"a", "1", {}, {}};
  done.usage = {.cpu_us = 1, .peak_rss_bytes = 2, .wall_us = 3, .details = "{\"rows\":1}"};
  wait(5ms);
  processes_->events()->on_frame(1, done, {70, 80});
  EXPECT_EQ(usages_["a"], (Usage{70, 80, 5000, "{\"rows\":1}"}));
  start("b");
  done.run = "b";
  processes_->events()->on_frame(1, done, {});
  EXPECT_EQ(usages_["b"].cpu_us, 1U) << "without measurements the runner's report counts";
}

TEST_F(PoolTest, RejectsReservedFailureCodesFromARunner) {
  open();
  ready(1);
  for (const std::string code : {"timeout", "queue_timeout", "memory", "crashed", "cancelled", "stalled"}) {
    start(code);
    frame::Failed failed;
    failed.run = code;
    failed.failure.code = code;
    failed.failure.message = "m";
    processes_->events()->on_frame(1, failed, {});
    EXPECT_EQ(ended<run::Failed>(code)->failure.code, "error");
  }
}

}  // namespace
}  // namespace gaur
