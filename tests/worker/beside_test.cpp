// A worker beside others, and after an earlier life of its own: what it gives back first, what it leaves
// alone, what it tells. On virtual time.
#include <gmock/gmock.h>

#include "harness.hpp"

namespace gaur {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A store that says what the test wants about earlier lives and lost locks; all else goes to the model.
class Scripted final : public Transitions {
 public:
  explicit Scripted(ModelStore& behind) : behind_(behind) {}

  std::vector<ReclaimRequest> reclaims;
  std::vector<RecoverRequest> recovers;
  std::vector<Promise<Result<std::vector<JobId>>>> unanswered;  ///< while hold_reclaims
  bool hold_reclaims = false;
  std::optional<Error> refuse_reclaim;
  std::optional<std::pair<QueueName, Error>> refuse_turns;
  std::vector<JobId> held;  ///< by the earlier life
  std::vector<UnlockedJob> left;
  std::uint64_t turns = 0, waits = 0;

  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    reclaims.push_back(request);
    if (hold_reclaims) return unanswered.emplace_back().future();
    if (refuse_reclaim) return ready(Result<std::vector<JobId>>(*refuse_reclaim));
    return ready(Result<std::vector<JobId>>(held));
  }
  Async<Recovered> recover(RecoverRequest request) override {
    recovers.push_back(request);
    return ready(Result<Recovered>(Recovered{.requeued = {}, .failed = {}, .left = left}));
  }
  Async<TakeReply> finish_and_take(TakeRequest turn) override {
    ++turns;
    if (refuse_turns && refuse_turns->first == turn.queue)
      return ready(Result<TakeReply>(refuse_turns->second));
    return behind_.finish_and_take(std::move(turn));
  }
  Async<WorkReply> wait_for_work(WorkRequest r) override {
    ++waits;
    return behind_.wait_for_work(std::move(r));
  }
  Async<std::vector<Added>> add(AddRequest r) override { return behind_.add(std::move(r)); }
  bool hold_extends = false;
  std::vector<Promise<Result<ExtendReply>>> unanswered_extends;
  Async<ExtendReply> extend_locks(ExtendRequest r) override {
    if (hold_extends) return unanswered_extends.emplace_back().future();
    return behind_.extend_locks(std::move(r));
  }
  Async<QueueHint> wake_delayed(QueueName queue) override { return behind_.wake_delayed(std::move(queue)); }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return behind_.cancel(std::move(job), std::move(who), std::move(why));
  }
  Async<Unit> retry(JobRef job, bool reset) override { return behind_.retry(std::move(job), reset); }
  Async<Unit> promote(JobRef job) override { return behind_.promote(std::move(job)); }
  Async<Unit> remove(JobRef job) override { return behind_.remove(std::move(job)); }
  Async<Unit> update_data(JobRef job, std::string data) override {
    return behind_.update_data(std::move(job), std::move(data));
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return behind_.update_progress(std::move(job), std::move(token), std::move(progress));
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return behind_.append_logs(std::move(job), std::move(lines));
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    return behind_.change_delay(std::move(job), delay);
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return behind_.change_priority(std::move(job), priority, lifo);
  }

 private:
  ModelStore& behind_;
};

struct BesideWorld : World {
  BesideWorld() {
    verbs = &scripted;
    worker_options.hand_off = false;
  }
  Scripted scripted{store};
};

TEST(Beside, TakesNothingBeforeItsEarlierLifeIsKnown) {
  BesideWorld world;
  world.scripted.hold_reclaims = true;
  world.add();
  world.start();
  world.pass(seconds(2));
  ASSERT_THAT(world.scripted.reclaims, SizeIs(1));  // asked once, not in a circle
  EXPECT_EQ(world.scripted.reclaims.front().queue, kQueue);
  EXPECT_EQ(world.scripted.reclaims.front().session.value, "w1/query");
  EXPECT_EQ(world.scripted.turns, 0U);
  EXPECT_THAT(world.scripted.recovers, IsEmpty());  // or the sweep would count them as stalled
  world.scripted.unanswered.front().set(std::vector<JobId>{JobId("77")});
  world.pass(milliseconds(50));
  EXPECT_THAT(world.runs.running, SizeIs(1));
  EXPECT_THAT(world.notes,
              Contains(HasSubstr("job 77 of queue query was held by an earlier life of this host")));
  EXPECT_EQ(world.status().counters.recovered, 1U);
}

TEST(Beside, AsksAgainWhileTheStoreIsAway) {
  BesideWorld world;
  world.scripted.refuse_reclaim = Error{Errc::kDisconnected, "away"};
  world.add();
  world.start();
  world.pass(milliseconds(1'600));
  EXPECT_THAT(world.scripted.reclaims, SizeIs(4));
  EXPECT_EQ(world.scripted.turns, 0U);
  world.scripted.refuse_reclaim.reset();
  world.pass(milliseconds(600));
  EXPECT_THAT(world.runs.started, SizeIs(1));
}

TEST(Beside, AStoreThatIsAwayDoesNotFillTheLog) {
  BesideWorld world;
  world.scripted.refuse_reclaim = Error{Errc::kDisconnected, "away"};
  world.start();
  world.pass(seconds(9));
  EXPECT_THAT(world.notes, SizeIs(1));
  world.pass(seconds(3));
  ASSERT_THAT(world.notes, SizeIs(2));
  EXPECT_THAT(world.notes.back(), HasSubstr("times since it was last told"));
  EXPECT_GT(world.status().counters.store_errors, 20U);
}

TEST(Beside, ARunWhoseJobSomebodyRemovedByForceIsStoppedWithinASecond) {
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

TEST(Beside, AnEarlierRunOfAJobThatIsTakenAgainIsStoppedAtOnce) {
  BesideWorld world;
  world.scripted.hold_extends = true;  // no check tells it
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

TEST(Beside, AStoreWithoutReclaimIsNoReasonToWait) {
  BesideWorld world;
  world.scripted.refuse_reclaim = Error{Errc::kUnsupported, "no such thing"};
  world.add();
  world.start();
  world.pass(milliseconds(50));
  EXPECT_THAT(world.runs.started, SizeIs(1));
}

TEST(Beside, TheSweepSaysWhoItIsAndWhatItLeavesAlone) {
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

TEST(Beside, ReportingChangesNothingAndOffDoesNotLook) {
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

TEST(Beside, WhatIsLeftIsToldOnceAndAgainWhenItComesBack) {
  BesideWorld world;
  world.scripted.left = {{JobId("9"), world.env.clock.wall() - seconds(7200), UnlockedJob::Why::kOrphan}};
  world.start();
  world.pass(seconds(10));
  EXPECT_THAT(world.notes,
              ElementsAre(HasSubstr("job 9 of queue query is active without a lock, started 2 h ago: "
                                    "an orphan")));
  world.scripted.left.clear();
  world.pass(seconds(2));
  world.scripted.left = {{JobId("9"), std::nullopt, UnlockedJob::Why::kGrace}};
  world.pass(seconds(2));
  EXPECT_THAT(world.notes, SizeIs(2));
}

TEST(Beside, ASweeperTakesNothingAndWakesWhatIsDue) {
  BesideWorld world;
  world.worker_options.take = false;
  world.start();
  world.add();
  const JobId later = world.add("f", {.delay = seconds(3)});
  world.pass(seconds(2));
  EXPECT_EQ(world.job(later).state, State::kDelayed);
  world.pass(seconds(2));
  EXPECT_EQ(world.job(later).state, State::kWaiting);
  EXPECT_EQ(world.scripted.turns, 0U);
  EXPECT_EQ(world.scripted.waits, 0U);
  EXPECT_THAT(world.scripted.recovers, ::testing::Not(IsEmpty()));
  world.await(world.worker->stop(Duration(0)));
}

TEST(Beside, ARejectedFinishMakesItAskForTheJobAtOnce) {
  BesideWorld world;
  world.scripted.hold_extends = true;  // no check reports that the job was moved
  world.runs.script = [](const RunRequest&) { return Script{.takes = milliseconds(200)}; };
  world.add();
  world.start();
  world.pass(milliseconds(50));
  const auto begun = world.scripted.turns;
  EXPECT_TRUE(world.await(world.store.obliterate(kQueue, true)));
  world.pass(milliseconds(400));
  EXPECT_GE(world.scripted.turns, begun + 2) << "one with the finish, one more since it was stale";
  EXPECT_EQ(world.status().counters.stale_finishes, 1U);
}

const QueueName kOther{"mail"};

struct TwoQueues : BesideWorld {
  TwoQueues() {
    worker_options.queues = {kQueue, kOther};
    ledger_options.queues.push_back({.name = kOther, .take_unknown = true});
  }
};

TEST(Beside, ARefusedQueueIsLeftAloneUntilItIsAcceptedAndTheOtherGoesOn) {
  TwoQueues world;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(1)}; };
  const JobId running = world.add();
  world.start();
  world.pass(milliseconds(100));
  world.worker->refuse(kQueue, "it is mixed");
  world.pass(milliseconds(100));
  world.scripted.recovers.clear();
  const JobId left = world.add();
  const JobId other = world.add("f", {}, kOther);
  world.pass(seconds(20));
  EXPECT_EQ(world.job(running).state, State::kCompleted) << "what runs ends as usual";
  EXPECT_EQ(world.job(left).state, State::kWaiting);
  EXPECT_EQ(world.value(world.store.get({kOther, other})).state, State::kCompleted);
  for (const RecoverRequest& request : world.scripted.recovers) EXPECT_EQ(request.queue, kOther);
  EXPECT_EQ(world.await(world.worker->explain({.queue = kQueue})).refused, "it is mixed");
  EXPECT_EQ(world.status().queues.front().refused, "it is mixed");
  world.worker->accept(kQueue);
  world.pass(milliseconds(50));
  EXPECT_EQ(world.job(left).state, State::kActive);
  EXPECT_EQ(world.status().queues.front().refused, "");
}

TEST(Beside, AQueueThatIsRefusedBeforeTheStartIsNotReclaimedBeforeItIsAccepted) {
  TwoQueues world;
  world.scripted.hold_reclaims = true;
  world.start();
  world.pass(milliseconds(10));
  ASSERT_THAT(world.scripted.reclaims, SizeIs(2));
  TwoQueues refused;
  refused.refused_at_start = {kQueue};
  refused.add();
  refused.start();
  refused.pass(seconds(10));
  ASSERT_THAT(refused.scripted.reclaims, SizeIs(1));
  EXPECT_EQ(refused.scripted.reclaims.front().queue, kOther);
  EXPECT_THAT(refused.runs.started, IsEmpty());
  refused.worker->accept(kQueue);
  refused.pass(milliseconds(50));
  EXPECT_THAT(refused.scripted.reclaims, SizeIs(2));
  EXPECT_THAT(refused.runs.started, SizeIs(1));
}

void hold_no_room_of_others(const Error& error) {
  TwoQueues world;
  world.ledger_options.slots = 1;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(1)}; };
  const JobId first = world.add();
  world.start();
  world.pass(milliseconds(100));
  world.scripted.refuse_turns = {kQueue, error};
  const JobId other = world.add("f", {}, kOther);
  world.pass(seconds(5));
  EXPECT_EQ(world.value(world.store.get({kOther, other})).state, State::kCompleted);
  EXPECT_EQ(world.status().queues.front().refused, error.message);
  world.scripted.refuse_turns.reset();
  world.pass(seconds(2));
  EXPECT_EQ(world.job(first).state, State::kCompleted) << "its finish was kept";
  EXPECT_EQ(world.job(first).attempts_started, 1U);
  EXPECT_EQ(world.status().queues.front().refused, "");
}

TEST(Beside, AQueueWithDamagedKeysHoldsNoRoomOfOthersAndKeepsItsFinishes) {
  hold_no_room_of_others({Errc::kCorrupt, "redis: WRONGTYPE"});
}

TEST(Beside, AQueueThatTheUserMayNotUseHoldsNoRoomOfOthersAndKeepsItsFinishes) {
  hold_no_room_of_others({Errc::kPermission, "redis: NOPERM"});
}

TEST(Beside, AQuietWorkerTakesAgainWhenAsked) {
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
