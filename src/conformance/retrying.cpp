// Failed attempts that are tried again, runs that end without the job's fault, and retry by hand.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;

const Failure kFailure{.code = "error", .message = "no such table", .stack = "at line 7"};

void at_once_goes_as_the_dialect_says(CaseContext& b) {
  const JobId id = b.add();
  const JobId other = b.add();
  const auto moved = b.finish(b.take_one(), outcome::RetryAfter{.failure = kFailure});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->state, State::kWaiting);
  EXPECT_EQ(moved->attempts_made, 1U);
  if (b.semantics.retry_place == Semantics::RetryPlace::kBehind) {
    EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(other, id));
  } else {
    EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(id, other));
  }
  EXPECT_EQ(b.job(id).failure, kFailure);
  EXPECT_THAT(b.job(id).stacktrace, ElementsAre("at line 7"));
}

void lifo_jobs_go_in_front(CaseContext& b) {
  const JobId other = b.add();
  const JobId id = b.add("l", {.lifo = true});
  EXPECT_TRUE(b.finish(b.take_one(), outcome::RetryAfter{.failure = kFailure}));
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(id, other));
}

void prioritized_jobs_keep_their_priority(CaseContext& b) {
  const JobId id = b.add("p", {.priority = 3});
  const JobId same = b.add("p", {.priority = 3});
  const JobId lower = b.add("p", {.priority = 4});
  const auto moved = b.finish(b.take_one(), outcome::RetryAfter{.failure = kFailure});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->state, State::kPrioritized);
  if (b.semantics.retry_place == Semantics::RetryPlace::kBehind) {
    EXPECT_THAT(b.ids(State::kPrioritized), ElementsAre(same, id, lower));
  } else {
    EXPECT_THAT(b.ids(State::kPrioritized), ElementsAre(id, same, lower));
  }
}

void after_a_delay(CaseContext& b) {
  const JobId id = b.add();
  const auto moved =
      b.finish(b.take_one(), outcome::RetryAfter{.delay = Duration(1500), .failure = kFailure});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->state, State::kDelayed);
  EXPECT_EQ(moved->due, b.rig.clock().wall() + Duration(1500));
  if (b.semantics.backoff_is_a_delay) {
    EXPECT_EQ(b.job(id).delay, Duration(1500));
  }
  b.advance(Duration(1500));
  (void)b.must(b.store().wake_delayed(b.queue));
  const Taken again = b.take_one();
  EXPECT_EQ(again.job.id, id);
  EXPECT_EQ(again.job.attempts_made, 1U);
  EXPECT_EQ(again.job.attempts_started, 2U);
}

void uncounted(CaseContext& b) {
  const JobId id = b.add();
  const auto moved = b.finish(b.take_one(), outcome::RetryAfter{.delay = Duration(100), .counted = false});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->attempts_made, 0U);
  EXPECT_EQ(b.job(id).attempts_made, 0U);
  EXPECT_FALSE(b.job(id).failure);
}

void stack_traces_are_bounded(CaseContext& b) {
  const JobId id = b.add("s", {.stack_trace_limit = 2});
  for (const char* stack : {"one", "two", "three"}) {
    EXPECT_TRUE(b.finish(b.take_one(), outcome::RetryAfter{.failure = {.message = "m", .stack = stack}}));
  }
  EXPECT_THAT(b.job(id).stacktrace, ElementsAre("two", "three"));
}

void back_to_wait_counts_as_nothing(CaseContext& b) {
  const JobId first = b.add();
  const JobId second = b.add();
  const auto moved = b.finish(b.take_one(), outcome::Requeue{"the host stops"});
  ASSERT_TRUE(moved);
  EXPECT_EQ(*moved, (FinishResult{.state = State::kWaiting}));
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(first, second));
  const Job job = b.job(first);
  EXPECT_EQ(job.attempts_made, 0U);
  EXPECT_EQ(job.attempts_started, 1U);
  EXPECT_EQ(job.stalled, 0U);
}

void back_to_the_front_of_its_priority(CaseContext& b) {
  const JobId first = b.add("p", {.priority = 2});
  const JobId second = b.add("p", {.priority = 2});
  const JobId urgent = b.add("p", {.priority = 1});
  (void)b.take(1);
  const Taken taken = b.take_one();
  EXPECT_EQ(taken.job.id, first);
  EXPECT_TRUE(b.finish(taken, outcome::Requeue{}));
  EXPECT_THAT(b.ids(State::kPrioritized), ElementsAre(first, second));
  EXPECT_EQ(b.state(urgent), State::kActive);
}

void a_stall_is_counted_then_fails(CaseContext& b) {
  const JobId id = b.add();
  const JobId other = b.add();
  const outcome::Stalled stall{.max_stalled = 1,
                               .failure = {.code = "crashed", .message = "runner died of SIGSEGV"}};
  const auto first = b.finish(b.take_one(), stall);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, State::kWaiting);
  EXPECT_EQ(first->stalled, 1U);
  EXPECT_EQ(first->attempts_made, 0U);
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(id, other));
  const auto second = b.finish(b.take_one(), stall);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->stalled, 2U);
  if (b.semantics.stall_limit == Semantics::StallLimit::kFailsOnNextStart) (void)b.take(1);
  EXPECT_EQ(b.state(id), State::kFailed);
  if (b.semantics.stall_limit == Semantics::StallLimit::kFailsInRecovery) {
    EXPECT_EQ(b.job(id).failure, b.known(stall.failure));
  }
}

void retry_by_hand(CaseContext& b) {
  const JobId done = b.finished(outcome::Completed{"42"});
  const JobId broken = b.finished(outcome::Failed{kFailure, true});
  (void)b.must(b.store().retry(b.ref(broken), false));
  (void)b.must(b.store().retry(b.ref(done), true));
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(broken, done));
  const Job kept = b.job(broken);
  EXPECT_EQ(kept.attempts_made, 1U);
  EXPECT_FALSE(kept.failure);
  EXPECT_FALSE(kept.finished_on);
  EXPECT_THAT(kept.stacktrace, ElementsAre("at line 7"));
  const Job reset = b.job(done);
  EXPECT_EQ(reset.attempts_made, 0U);
  EXPECT_EQ(reset.attempts_started, 1U);
  EXPECT_EQ(reset.result, "");
  EXPECT_EQ(b.take(2).size(), 2U);
}

void retry_of_what_is_not_finished(CaseContext& b) {
  const JobId id = b.add();
  EXPECT_EQ(b.error(b.store().retry(b.ref(id), false)), Errc::kNotInState);
  EXPECT_EQ(b.error(b.store().retry(b.ref(JobId("not-here")), false)), Errc::kNotFound);
  (void)b.take_one();
  EXPECT_EQ(b.error(b.store().retry(b.ref(id), false)), Errc::kNotInState);
}

}  // namespace

std::vector<Case> retrying_cases() {
  constexpr const char* kTheme = "Retrying";
  return {
      {kTheme, "AtOnceGoesWhereTheDialectSays", at_once_goes_as_the_dialect_says},
      {kTheme, "PutsLifoJobsInFront", lifo_jobs_go_in_front},
      {kTheme, "KeepsThePriority", prioritized_jobs_keep_their_priority},
      {kTheme, "AfterADelayWaitsForItsTime", after_a_delay},
      {kTheme, "UncountedIsNoAttempt", uncounted},
      {kTheme, "KeepsTheNewestStackTraces", stack_traces_are_bounded},
      {kTheme, "BackToWaitCountsAsNothing", back_to_wait_counts_as_nothing},
      {kTheme, "BackToTheFrontOfItsPriority", back_to_the_front_of_its_priority},
      {kTheme, "AStallIsCountedAndThenFails", a_stall_is_counted_then_fails},
      {kTheme, "ByHandStartsAfresh", retry_by_hand},
      {kTheme, "OfWhatIsNotFinishedIsRefused", retry_of_what_is_not_finished},
  };
}

}  // namespace gaur::conformance
