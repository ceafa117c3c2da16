// Retries of failed attempts, requeues, stalls, and manual retries.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;

const Failure kFailure{.code = "error", .message = "no such table", .stack = "at line 7"};

void requeues_at_end_of_dialect(CaseContext& t) {
  const JobId id = t.add();
  const JobId other = t.add();
  const auto result = t.finish(t.take_one(), outcome::RetryAfter{.failure = kFailure});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, State::kWaiting);
  EXPECT_EQ(result->attempts_made, 1U);
  if (t.semantics.retry_place == Semantics::RetryPlace::kBehind) {
    EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(other, id));
  } else {
    EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(id, other));
  }
  EXPECT_EQ(t.job(id).failure, kFailure);
  EXPECT_THAT(t.job(id).stacktrace, ElementsAre("at line 7"));
}

void requeues_lifo_job_at_front(CaseContext& t) {
  const JobId other = t.add();
  const JobId id = t.add("l", {.lifo = true});
  EXPECT_TRUE(t.finish(t.take_one(), outcome::RetryAfter{.failure = kFailure}));
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(id, other));
}

void keeps_priority(CaseContext& t) {
  const JobId id = t.add("p", {.priority = 3});
  const JobId same = t.add("p", {.priority = 3});
  const JobId lower = t.add("p", {.priority = 4});
  const auto result = t.finish(t.take_one(), outcome::RetryAfter{.failure = kFailure});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, State::kPrioritized);
  if (t.semantics.retry_place == Semantics::RetryPlace::kBehind) {
    EXPECT_THAT(t.ids(State::kPrioritized), ElementsAre(same, id, lower));
  } else {
    EXPECT_THAT(t.ids(State::kPrioritized), ElementsAre(id, same, lower));
  }
}

void delays_retry(CaseContext& t) {
  const JobId id = t.add();
  const auto result =
      t.finish(t.take_one(), outcome::RetryAfter{.delay = Duration(1500), .failure = kFailure});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, State::kDelayed);
  EXPECT_EQ(result->due, t.fixture.clock().wall() + Duration(1500));
  if (t.semantics.backoff_is_a_delay) {
    EXPECT_EQ(t.job(id).delay, Duration(1500));
  }
  t.advance(Duration(1500));
  (void)t.must(t.store().wake_delayed(t.queue));
  const Taken again = t.take_one();
  EXPECT_EQ(again.job.id, id);
  EXPECT_EQ(again.job.attempts_made, 1U);
  EXPECT_EQ(again.job.attempts_started, 2U);
}

void last_of_many_attempts_keeps_its_error(CaseContext& t) {
  constexpr std::uint32_t kAttempts = 15;
  const JobId id = t.add("a", {.attempts = kAttempts});
  for (std::uint32_t attempt = 1; attempt <= kAttempts; ++attempt) {
    const Taken taken = t.take_one();
    ASSERT_EQ(taken.job.id, id);
    EXPECT_EQ(taken.job.attempts_made, attempt - 1);
    const Failure failure{.message = "attempt " + std::to_string(attempt)};
    const Outcome outcome = attempt < kAttempts ? Outcome(outcome::RetryAfter{.failure = failure})
                                                : Outcome(outcome::Failed{failure, true});
    ASSERT_TRUE(t.finish(taken, outcome));
  }
  const Job job = t.job(id);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.attempts_made, kAttempts);
  ASSERT_TRUE(job.failure);
  EXPECT_EQ(job.failure->message, "attempt 15");
}

void does_not_count_uncounted_retry(CaseContext& t) {
  const JobId id = t.add();
  const auto result = t.finish(t.take_one(), outcome::RetryAfter{.delay = Duration(100), .counted = false});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->attempts_made, 0U);
  EXPECT_EQ(t.job(id).attempts_made, 0U);
  EXPECT_FALSE(t.job(id).failure);
}

void keeps_newest_stack_traces(CaseContext& t) {
  const JobId id = t.add("s", {.stack_trace_limit = 2});
  for (const char* stack : {"one", "two", "three"}) {
    EXPECT_TRUE(t.finish(t.take_one(), outcome::RetryAfter{.failure = {.message = "m", .stack = stack}}));
  }
  EXPECT_THAT(t.job(id).stacktrace, ElementsAre("two", "three"));
}

void requeue_counts_no_attempt(CaseContext& t) {
  const JobId first = t.add();
  const JobId second = t.add();
  const auto result = t.finish(t.take_one(), outcome::Requeue{"the host stops"});
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, (FinishResult{.state = State::kWaiting}));
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(first, second));
  const Job job = t.job(first);
  EXPECT_EQ(job.attempts_made, 0U);
  EXPECT_EQ(job.attempts_started, 1U);
  EXPECT_EQ(job.stalled, 0U);
}

void requeues_at_front_of_priority(CaseContext& t) {
  const JobId first = t.add("p", {.priority = 2});
  const JobId second = t.add("p", {.priority = 2});
  const JobId urgent = t.add("p", {.priority = 1});
  (void)t.take(1);
  const Taken taken = t.take_one();
  EXPECT_EQ(taken.job.id, first);
  EXPECT_TRUE(t.finish(taken, outcome::Requeue{}));
  EXPECT_THAT(t.ids(State::kPrioritized), ElementsAre(first, second));
  EXPECT_EQ(t.state(urgent), State::kActive);
}

void counts_stalls_then_fails(CaseContext& t) {
  const JobId id = t.add();
  const JobId other = t.add();
  const outcome::Stalled stall{.max_stalled = 1,
                               .failure = {.code = "crashed", .message = "runner died of SIGSEGV"}};
  const auto first = t.finish(t.take_one(), stall);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, State::kWaiting);
  EXPECT_EQ(first->stalled, 1U);
  EXPECT_EQ(first->attempts_made, 0U);
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(id, other));
  const auto second = t.finish(t.take_one(), stall);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->stalled, 2U);
  if (t.semantics.stall_limit == Semantics::StallLimit::kFailsOnNextStart) (void)t.take(1);
  EXPECT_EQ(t.state(id), State::kFailed);
  if (t.semantics.stall_limit == Semantics::StallLimit::kFailsInRecovery) {
    EXPECT_EQ(t.job(id).failure, t.known(stall.failure));
  }
}

void manual_retry_resets_job(CaseContext& t) {
  const JobId done = t.finished(outcome::Completed{"42"});
  const JobId broken = t.finished(outcome::Failed{kFailure, true});
  (void)t.must(t.store().retry(t.ref(broken), false));
  (void)t.must(t.store().retry(t.ref(done), true));
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(broken, done));
  const Job kept = t.job(broken);
  EXPECT_EQ(kept.attempts_made, 1U);
  EXPECT_FALSE(kept.failure);
  EXPECT_FALSE(kept.finished_on);
  EXPECT_THAT(kept.stacktrace, ElementsAre("at line 7"));
  const Job reset = t.job(done);
  EXPECT_EQ(reset.attempts_made, 0U);
  EXPECT_EQ(reset.attempts_started, 1U);
  EXPECT_EQ(reset.result, "");
  EXPECT_EQ(t.take(2).size(), 2U);
}

void rejects_manual_retry_of_unfinished_job(CaseContext& t) {
  const JobId id = t.add();
  EXPECT_EQ(t.error(t.store().retry(t.ref(id), false)), Errc::kNotInState);
  EXPECT_EQ(t.error(t.store().retry(t.ref(JobId("not-here")), false)), Errc::kNotFound);
  (void)t.take_one();
  EXPECT_EQ(t.error(t.store().retry(t.ref(id), false)), Errc::kNotInState);
}

}  // namespace

std::vector<Case> retrying_cases() {
  constexpr const char* kTheme = "Retrying";
  return {
      {kTheme, "RequeuesAtEndOfDialect", requeues_at_end_of_dialect},
      {kTheme, "RequeuesLifoJobAtFront", requeues_lifo_job_at_front},
      {kTheme, "KeepsPriority", keeps_priority},
      {kTheme, "DelaysRetry", delays_retry},
      {kTheme, "LastOfManyAttemptsKeepsItsError", last_of_many_attempts_keeps_its_error},
      {kTheme, "DoesNotCountUncountedRetry", does_not_count_uncounted_retry},
      {kTheme, "KeepsNewestStackTraces", keeps_newest_stack_traces},
      {kTheme, "RequeueCountsNoAttempt", requeue_counts_no_attempt},
      {kTheme, "RequeuesAtFrontOfPriority", requeues_at_front_of_priority},
      {kTheme, "CountsStallsThenFails", counts_stalls_then_fails},
      {kTheme, "ManualRetryResetsJob", manual_retry_resets_job},
      {kTheme, "RejectsManualRetryOfUnfinishedJob", rejects_manual_retry_of_unfinished_job},
  };
}

}  // namespace gaur::conformance
