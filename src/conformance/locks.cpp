// Locks, their renewal, and the recovery of unlocked jobs.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<Taken> take_for(CaseContext& t, std::uint32_t at_most, Duration lock) {
  TakeRequest request = t.take_request(at_most);
  request.lock = lock;
  return t.send(request).taken;
}

ExtendRequest renewal(CaseContext& t, std::vector<HeldLock> held, Duration lock) {
  return {.queue = t.queue, .held = std::move(held), .lock = lock, .worker = t.worker};
}

Recovered recover(CaseContext& t, std::uint32_t max_stalled = 1) {
  return t.must(t.store().recover({.queue = t.queue, .max_stalled = max_stalled}));
}

/// A job with a lock of 1000 ms.
Taken take_locked(CaseContext& t) {
  (void)t.add();
  auto taken = take_for(t, 1, Duration(1000));
  EXPECT_EQ(taken.size(), 1U);
  return taken.empty() ? Taken{} : std::move(taken.front());
}

Status renew(CaseContext& t, const Taken& taken) {
  const auto reply =
      t.must(t.store().extend_locks(renewal(t, {{taken.job.id, taken.token}}, Duration(1000))));
  return reply.locks.size() == 1 ? reply.locks[0] : Error{Errc::kInternal, "one answer was expected"};
}

void renewed_lock_stays_valid(CaseContext& t) {
  const Taken taken = take_locked(t);
  t.advance(Duration(900));
  EXPECT_TRUE(renew(t, taken));
  t.advance(Duration(900));
  EXPECT_THAT(recover(t).requeued, IsEmpty());
  EXPECT_TRUE(t.finish(taken, outcome::Completed{}));
}

void report_why_they_were_lost(CaseContext& t) {
  (void)t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = take_for(t, 3, Duration(1000));
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_TRUE(t.finish(taken[0], outcome::Completed{}));
  EXPECT_TRUE(t.finish(taken[1], outcome::Requeue{}));
  (void)t.take_one();
  const auto reply = t.must(t.store().extend_locks(renewal(t,
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

void check_does_not_renew(CaseContext& t) {
  const JobId id = t.add();
  const auto taken = take_for(t, 1, Duration(1000));
  ASSERT_EQ(taken.size(), 1U);
  t.advance(Duration(900));
  ExtendRequest check = renewal(t, {{id, taken[0].token}}, Duration(1000));
  check.renew = false;
  const auto reply = t.must(t.store().extend_locks(check));
  ASSERT_EQ(reply.locks.size(), 1U);
  EXPECT_TRUE(reply.locks[0]);
  t.advance(Duration(101));
  EXPECT_THAT(recover(t).requeued, ElementsAre(id));
}

void report_forced_removal(CaseContext& t) {
  for (const bool renew : {false, true}) {
    SCOPED_TRACE(renew);
    (void)t.add();
    const Taken taken = t.take_one();
    ASSERT_TRUE(t.now(t.store().obliterate(t.queue, true)));
    ExtendRequest request = renewal(t, {{taken.job.id, taken.token}}, Duration(1000));
    request.renew = renew;
    const auto reply = t.must(t.store().extend_locks(request));
    ASSERT_EQ(reply.locks.size(), 1U);
    ASSERT_FALSE(reply.locks[0]);
    EXPECT_EQ(reply.locks[0].error().code, Errc::kLockMissing);
    EXPECT_FALSE(t.finish(taken, outcome::Completed{R"("late")"}));
    EXPECT_FALSE(t.exists(taken.job.id));
  }
}

void expired_lock_is_not_renewed(CaseContext& t) {
  const Taken taken = take_locked(t);
  t.advance(Duration(1001));
  const Status renewed = renew(t, taken);
  ASSERT_FALSE(renewed);
  EXPECT_EQ(renewed.error().code, Errc::kLockMissing);
}

void recovery_requeues_unlocked_jobs(CaseContext& t) {
  const auto added = t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}});
  const auto lost = take_for(t, 2, Duration(1000));
  const auto held = take_for(t, 1, Duration(10'000));
  ASSERT_EQ(lost.size() + held.size(), 3U);
  EXPECT_THAT(recover(t).requeued, IsEmpty());
  t.advance(Duration(1001));
  const Recovered recovered = recover(t);
  EXPECT_THAT(recovered.requeued, UnorderedElementsAre(added[0].id, added[1].id));
  EXPECT_THAT(recovered.failed, IsEmpty());
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(added[0].id, added[1].id, added[3].id));
  EXPECT_EQ(t.job(added[0].id).stalled, 1U);
  EXPECT_EQ(t.job(added[0].id).attempts_made, 0U);
  EXPECT_THAT(t.ids(State::kActive), ElementsAre(added[2].id));
  EXPECT_THAT(recover(t).requeued, IsEmpty()) << "each job is recovered once";
}

void recovery_fails_job_at_stall_limit(CaseContext& t) {
  const JobId id = t.add();
  (void)take_for(t, 1, Duration(100));
  t.advance(Duration(101));
  EXPECT_THAT(recover(t).requeued, ElementsAre(id));
  (void)take_for(t, 1, Duration(100));
  t.advance(Duration(101));
  const Recovered recovered = recover(t);
  if (t.semantics.stall_limit == Semantics::StallLimit::kFailsInRecovery) {
    EXPECT_THAT(recovered.failed, ElementsAre(id));
  } else {
    EXPECT_THAT(recovered.requeued, ElementsAre(id));
    EXPECT_TRUE(t.take(1).empty());
  }
  const Job job = t.job(id);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.stalled, 2U);
  ASSERT_TRUE(job.failure);
  if (t.can(Capability::kFailureCode)) {
    EXPECT_EQ(job.failure->code, "stalled");
  }
}

void stall_limit_keeps_last_error(CaseContext& t) {
  const JobId id = t.add();
  const Failure error{.message = "no such table", .stack = "at line 7"};
  ASSERT_TRUE(t.finish(t.take_one(), outcome::RetryAfter{.failure = error}));
  (void)take_for(t, 1, Duration(100));
  t.advance(Duration(101));
  (void)recover(t, 0);
  if (t.semantics.stall_limit == Semantics::StallLimit::kFailsOnNextStart) {
    EXPECT_TRUE(t.take(1).empty());
  }
  const Job job = t.job(id);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.attempts_made, 1U);
  ASSERT_TRUE(job.failure);
  EXPECT_EQ(job.failure->stack, "at line 7");
  if (t.can(Capability::kFailureCode)) {
    EXPECT_EQ(job.failure->code, "stalled");
    EXPECT_THAT(job.failure->message, testing::HasSubstr("no such table"));
  }
}

void recovery_fences_previous_owner(CaseContext& t) {
  const JobId id = t.add();
  const auto old = take_for(t, 1, Duration(100));
  ASSERT_EQ(old.size(), 1U);
  t.advance(Duration(101));
  EXPECT_THAT(recover(t).requeued, ElementsAre(id));
  t.worker = "worker-2";
  const Taken current = t.take_one();
  EXPECT_EQ(current.job.attempts_started, 2U);
  const auto late = t.finish(old[0], outcome::Completed{R"("late")"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kLockMismatch);
  EXPECT_TRUE(t.finish(current, outcome::Completed{R"("right")"}));
  EXPECT_EQ(t.job(id).result, R"("right")");
}

}  // namespace

std::vector<Case> lock_cases() {
  constexpr const char* kTheme = "Locks";
  return {
      {kTheme, "RenewedLockStaysValid", renewed_lock_stays_valid},
      {kTheme, "ReportWhyTheyWereLost", report_why_they_were_lost},
      {kTheme, "CheckDoesNotRenew", check_does_not_renew},
      {kTheme, "ReportForcedRemoval", report_forced_removal},
      {kTheme, "ExpiredLockIsNotRenewed", expired_lock_is_not_renewed},
      {kTheme, "RecoveryRequeuesUnlockedJobs", recovery_requeues_unlocked_jobs},
      {kTheme, "RecoveryFailsJobAtStallLimit", recovery_fails_job_at_stall_limit},
      {kTheme, "StallLimitKeepsLastError", stall_limit_keeps_last_error},
      {kTheme, "RecoveryFencesPreviousOwner", recovery_fences_previous_owner},
  };
}

}  // namespace gaur::conformance
