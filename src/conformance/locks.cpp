// Locks, their renewal, and the sweep that recovers what was lost.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<Taken> take_for(CaseContext& b, std::uint32_t at_most, Duration lock) {
  TakeRequest turn = b.turn(at_most);
  turn.lock = lock;
  return b.play(turn).taken;
}

ExtendRequest renewal(CaseContext& b, std::vector<HeldLock> held, Duration lock) {
  return {.queue = b.queue, .held = std::move(held), .lock = lock, .worker = b.worker};
}

Recovered sweep(CaseContext& b, std::uint32_t max_stalled = 1) {
  return b.must(b.store().recover({.queue = b.queue, .max_stalled = max_stalled}));
}

void a_renewed_lock_lives_on(CaseContext& b) {
  (void)b.add();
  const auto taken = take_for(b, 1, Duration(1000));
  ASSERT_EQ(taken.size(), 1U);
  b.advance(Duration(900));
  const auto reply =
      b.must(b.store().extend_locks(renewal(b, {{taken[0].job.id, taken[0].token}}, Duration(1000))));
  ASSERT_EQ(reply.locks.size(), 1U);
  EXPECT_TRUE(reply.locks[0]);
  b.advance(Duration(900));
  EXPECT_THAT(sweep(b).requeued, IsEmpty());
  EXPECT_TRUE(b.finish(taken[0], outcome::Completed{}));
}

void a_lost_lock_is_told(CaseContext& b) {
  (void)b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = take_for(b, 3, Duration(1000));
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_TRUE(b.finish(taken[0], outcome::Completed{}));
  EXPECT_TRUE(b.finish(taken[1], outcome::Requeue{}));
  (void)b.take_one();
  const auto reply = b.must(b.store().extend_locks(renewal(b,
                                                           {{taken[0].job.id, taken[0].token},
                                                            {taken[1].job.id, taken[1].token},
                                                            {taken[2].job.id, taken[2].token},
                                                            {JobId("gone"), taken[2].token}},
                                                           Duration(1000))));
  ASSERT_EQ(reply.locks.size(), 4U);
  ASSERT_FALSE(reply.locks[0]);
  EXPECT_EQ(reply.locks[0].error().code, Errc::kLockMissing);
  ASSERT_FALSE(reply.locks[1]);
  EXPECT_EQ(reply.locks[1].error().code, Errc::kLockMismatch);
  EXPECT_TRUE(reply.locks[2]);
  ASSERT_FALSE(reply.locks[3]);
  EXPECT_EQ(reply.locks[3].error().code, Errc::kLockMissing);
}

void a_check_renews_nothing(CaseContext& b) {
  const JobId id = b.add();
  const auto taken = take_for(b, 1, Duration(1000));
  ASSERT_EQ(taken.size(), 1U);
  b.advance(Duration(900));
  ExtendRequest check = renewal(b, {{id, taken[0].token}}, Duration(1000));
  check.renew = false;
  const auto reply = b.must(b.store().extend_locks(check));
  ASSERT_EQ(reply.locks.size(), 1U);
  EXPECT_TRUE(reply.locks[0]);
  b.advance(Duration(101));
  EXPECT_THAT(sweep(b).requeued, ElementsAre(id));
}

void a_run_whose_job_was_removed_by_force_is_told(CaseContext& b) {
  for (const bool renew : {false, true}) {
    SCOPED_TRACE(renew);
    (void)b.add();
    const Taken taken = b.take_one();
    ASSERT_TRUE(b.now(b.store().obliterate(b.queue, true)));
    ExtendRequest request = renewal(b, {{taken.job.id, taken.token}}, Duration(1000));
    request.renew = renew;
    const auto reply = b.must(b.store().extend_locks(request));
    ASSERT_EQ(reply.locks.size(), 1U);
    ASSERT_FALSE(reply.locks[0]);
    EXPECT_EQ(reply.locks[0].error().code, Errc::kLockMissing);
    EXPECT_FALSE(b.finish(taken, outcome::Completed{R"("late")"}));
    EXPECT_FALSE(b.exists(taken.job.id));
  }
}

void an_expired_lock_cannot_be_renewed(CaseContext& b) {
  (void)b.add();
  const auto taken = take_for(b, 1, Duration(1000));
  ASSERT_EQ(taken.size(), 1U);
  b.advance(Duration(1001));
  const auto reply =
      b.must(b.store().extend_locks(renewal(b, {{taken[0].job.id, taken[0].token}}, Duration(1000))));
  ASSERT_EQ(reply.locks.size(), 1U);
  ASSERT_FALSE(reply.locks[0]);
  EXPECT_EQ(reply.locks[0].error().code, Errc::kLockMissing);
}

void the_sweep_gives_back_what_lost_its_lock(CaseContext& b) {
  const auto added = b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}});
  const auto lost = take_for(b, 2, Duration(1000));
  const auto held = take_for(b, 1, Duration(10'000));
  ASSERT_EQ(lost.size() + held.size(), 3U);
  EXPECT_THAT(sweep(b).requeued, IsEmpty());
  b.advance(Duration(1001));
  const Recovered recovered = sweep(b);
  EXPECT_THAT(recovered.requeued, UnorderedElementsAre(added[0].id, added[1].id));
  EXPECT_THAT(recovered.failed, IsEmpty());
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(added[0].id, added[1].id, added[3].id));
  EXPECT_EQ(b.job(added[0].id).stalled, 1U);
  EXPECT_EQ(b.job(added[0].id).attempts_made, 0U);
  EXPECT_THAT(b.ids(State::kActive), ElementsAre(added[2].id));
  EXPECT_THAT(sweep(b).requeued, IsEmpty()) << "once is enough";
}

void lost_too_often_it_fails(CaseContext& b) {
  const JobId id = b.add();
  (void)take_for(b, 1, Duration(100));
  b.advance(Duration(101));
  EXPECT_THAT(sweep(b).requeued, ElementsAre(id));
  (void)take_for(b, 1, Duration(100));
  b.advance(Duration(101));
  const Recovered recovered = sweep(b);
  if (b.semantics.stall_limit == Semantics::StallLimit::kFailsInRecovery) {
    EXPECT_THAT(recovered.failed, ElementsAre(id));
  } else {
    EXPECT_THAT(recovered.requeued, ElementsAre(id));
    EXPECT_TRUE(b.take(1).empty());
  }
  const Job job = b.job(id);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.stalled, 2U);
  ASSERT_TRUE(job.failure);
  if (b.can(Capability::kFailureCode)) {
    EXPECT_EQ(job.failure->code, "stalled");
  }
}

void the_old_owner_cannot_finish_after_recovery(CaseContext& b) {
  const JobId id = b.add();
  const auto old = take_for(b, 1, Duration(100));
  ASSERT_EQ(old.size(), 1U);
  b.advance(Duration(101));
  EXPECT_THAT(sweep(b).requeued, ElementsAre(id));
  b.worker = "worker-2";
  const Taken current = b.take_one();
  EXPECT_EQ(current.job.attempts_started, 2U);
  const auto late = b.finish(old[0], outcome::Completed{R"("late")"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kLockMismatch);
  EXPECT_TRUE(b.finish(current, outcome::Completed{R"("right")"}));
  EXPECT_EQ(b.job(id).result, R"("right")");
}

}  // namespace

std::vector<Case> lock_cases() {
  constexpr const char* kTheme = "Locks";
  return {
      {kTheme, "LiveOnWhenRenewed", a_renewed_lock_lives_on},
      {kTheme, "TellWhyTheyWereLost", a_lost_lock_is_told},
      {kTheme, "AreCheckedWithoutBeingRenewed", a_check_renews_nothing},
      {kTheme, "TellARunWhoseJobWasRemovedByForce", a_run_whose_job_was_removed_by_force_is_told},
      {kTheme, "CannotBeRenewedAfterTheyExpired", an_expired_lock_cannot_be_renewed},
      {kTheme, "TheSweepGivesBackWhatLostItsLock", the_sweep_gives_back_what_lost_its_lock},
      {kTheme, "LostTooOftenTheJobFails", lost_too_often_it_fails},
      {kTheme, "TheOldOwnerCannotFinishAfterRecovery", the_old_owner_cannot_finish_after_recovery},
  };
}

}  // namespace gaur::conformance
