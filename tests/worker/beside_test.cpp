// A worker beside other workers, and after a restart: what it requeues first, what it recovers and what it
// logs. On virtual time.
#include <gmock/gmock.h>

#include "scripted_store.hpp"

namespace gaur {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Beside, RequestsJobsAtOnceAfterStaleFinish) {
  BesideWorld world;
  world.scripted.hold_extends = true;  // no check notices that the job was moved
  world.runs.script = [](const RunRequest&) { return Script{.takes = milliseconds(200)}; };
  world.add();
  world.start();
  world.pass(milliseconds(50));
  const auto begun = world.scripted.takes;
  EXPECT_TRUE(world.await(world.store.obliterate(kQueue, true)));
  world.pass(milliseconds(400));
  EXPECT_GE(world.scripted.takes, begun + 2) << "one with the finish, one because it was stale";
  EXPECT_EQ(world.status().counters.stale_finishes, 1U);
}

TEST(Beside, TakesNothingBeforeJobsOfPreviousProcessAreRequeued) {
  BesideWorld world;
  world.scripted.hold_reclaims = true;
  world.add();
  world.start();
  world.pass(seconds(2));
  ASSERT_THAT(world.scripted.reclaims, SizeIs(1));  // one call, not a loop
  EXPECT_EQ(world.scripted.reclaims.front().queue, kQueue);
  EXPECT_EQ(world.scripted.reclaims.front().session.value, "w1/query");
  EXPECT_EQ(world.scripted.takes, 0U);
  EXPECT_THAT(world.scripted.recovers, IsEmpty());  // they would be counted as stalled
  world.scripted.pending_reclaims.front().set(std::vector<JobId>{JobId("77")});
  world.pass(milliseconds(50));
  EXPECT_THAT(world.runs.running, SizeIs(1));
  EXPECT_THAT(
      world.log_lines,
      Contains(HasSubstr("job 77 of queue query was requeued: the previous process of this worker held it")));
  EXPECT_EQ(world.status().counters.recovered, 1U);
}

TEST(Beside, LeavesJobsOfSuspectProcessToRecovery) {
  BesideWorld world;
  world.worker_options.reclaim = false;
  world.start();
  world.pass(seconds(2));
  EXPECT_THAT(world.scripted.reclaims, IsEmpty());
  EXPECT_GE(world.scripted.recovers.size(), 1U);
}

TEST(Beside, RetriesReclaimWhileStoreIsUnreachable) {
  BesideWorld world;
  world.scripted.reclaim_error = Error{Errc::kDisconnected, "away"};
  world.add();
  world.start();
  world.pass(milliseconds(1'600));
  EXPECT_THAT(world.scripted.reclaims, SizeIs(4));
  EXPECT_EQ(world.scripted.takes, 0U);
  world.scripted.reclaim_error.reset();
  world.pass(milliseconds(600));
  EXPECT_THAT(world.runs.started, SizeIs(1));
}

TEST(Beside, LimitsLogLinesOfUnreachableStore) {
  BesideWorld world;
  world.scripted.reclaim_error = Error{Errc::kDisconnected, "away"};
  world.start();
  world.pass(seconds(9));
  EXPECT_THAT(world.log_lines, SizeIs(1));
  world.pass(seconds(3));
  ASSERT_THAT(world.log_lines, SizeIs(2));
  EXPECT_THAT(world.log_lines.back(), HasSubstr("more times since the last log line"));
  EXPECT_GT(world.status().counters.store_errors, 20U);
}

TEST(Beside, StopsRunOfObliteratedJobWithinASecond) {
  BesideWorld world;
  world.ledger_options.slots = 1;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(1'000)}; };
  world.add();
  world.start();
  world.pass(seconds(3));
  ASSERT_THAT(world.runs.running, SizeIs(1));
  EXPECT_TRUE(world.await(world.store.obliterate(kQueue, true)));
  const JobId next = world.add();
  world.pass(milliseconds(999));
  EXPECT_THAT(world.runs.stops, ElementsAre(StopReason::kLockLost));
  ASSERT_THAT(world.runs.running, SizeIs(1)) << "its slot is free";
  EXPECT_EQ(world.runs.running.begin()->second.request.taken.job.id, next);
  EXPECT_EQ(world.status().counters.completed, 0U);
}

TEST(Beside, StopsPreviousRunWhenJobIsTakenAgain) {
  BesideWorld world;
  world.scripted.hold_extends = true;  // no check notices it
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(1'000)}; };
  const JobId id = world.add();
  world.start();
  world.pass(seconds(31));
  ASSERT_THAT(world.runs.running, SizeIs(1));
  EXPECT_THAT(world.value(world.store.recover({.queue = kQueue})).requeued, ElementsAre(id));
  world.pass(seconds(6));
  EXPECT_THAT(world.runs.started, SizeIs(2));
  EXPECT_THAT(world.runs.stops, ElementsAre(StopReason::kLockLost));
  EXPECT_THAT(world.runs.running, SizeIs(1));
}

TEST(Beside, TakesJobsFromStoreWithoutReclaim) {
  BesideWorld world;
  world.scripted.reclaim_error = Error{Errc::kUnsupported, "no such thing"};
  world.add();
  world.start();
  world.pass(milliseconds(50));
  EXPECT_THAT(world.runs.started, SizeIs(1));
}

TEST(Beside, SendsGraceAndOrphanLimitWithRecover) {
  BesideWorld world;
  world.worker_options.grace = seconds(600);
  world.worker_options.orphans_before = from_ms(12'345);
  world.start();
  world.pass(milliseconds(100));
  ASSERT_THAT(world.scripted.recovers, ::testing::Not(IsEmpty()));
  const RecoverRequest& request = world.scripted.recovers.front();
  EXPECT_TRUE(request.act);
  EXPECT_EQ(request.grace, Duration(600'000));
  EXPECT_EQ(request.orphans_before, from_ms(12'345));
  EXPECT_EQ(request.worker, "w1");
}

TEST(Beside, HonoursStalledOption) {
  BesideWorld report;
  report.worker_options.stalled = WorkerOptions::Stalled::kReport;
  report.start();
  report.pass(seconds(2));
  ASSERT_THAT(report.scripted.recovers, ::testing::Not(IsEmpty()));
  EXPECT_FALSE(report.scripted.recovers.back().act);
  BesideWorld off;
  off.worker_options.stalled = WorkerOptions::Stalled::kOff;
  off.start();
  off.pass(seconds(5));
  EXPECT_THAT(off.scripted.recovers, IsEmpty());
}

TEST(Beside, LogsUnlockedJobOnceUntilItReturns) {
  BesideWorld world;
  world.scripted.unlocked = {{JobId("9"), world.env.clock.wall() - seconds(7200), UnlockedJob::Why::kOrphan}};
  world.start();
  world.pass(seconds(10));
  EXPECT_THAT(world.log_lines,
              ElementsAre(HasSubstr("job 9 of queue query is active without a lock, started 2 h ago: "
                                    "an orphan")));
  world.scripted.unlocked.clear();
  world.pass(seconds(2));
  world.scripted.unlocked = {{JobId("9"), std::nullopt, UnlockedJob::Why::kGrace}};
  world.pass(seconds(2));
  EXPECT_THAT(world.log_lines, SizeIs(2));
}

TEST(Beside, WakesDelayedJobsWithoutTaking) {
  BesideWorld world;
  world.worker_options.take = false;
  world.start();
  world.add();
  const JobId later = world.add("f", {.delay = seconds(3)});
  world.pass(seconds(2));
  EXPECT_EQ(world.job(later).state, State::kDelayed);
  world.pass(seconds(2));
  EXPECT_EQ(world.job(later).state, State::kWaiting);
  EXPECT_EQ(world.scripted.takes, 0U);
  EXPECT_EQ(world.scripted.waits, 0U);
  EXPECT_THAT(world.scripted.recovers, ::testing::Not(IsEmpty()));
  world.await(world.worker->stop(Duration(0)));
}

TEST(Beside, TakesJobsAgainAfterResume) {
  BesideWorld world;
  world.start();
  world.worker->quiet();
  world.pass(milliseconds(10));
  const JobId id = world.add();
  world.pass(seconds(7));
  EXPECT_EQ(world.job(id).state, State::kWaiting);
  world.worker->resume();
  world.pass(milliseconds(200));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  world.await(world.worker->stop(Duration(0)));
  world.worker->resume();
  world.pass(milliseconds(10));
  EXPECT_EQ(world.status().phase, WorkerPhase::kStopped);
}

}  // namespace
}  // namespace gaur
