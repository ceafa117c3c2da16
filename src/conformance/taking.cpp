// Taking without a filter: the order, what a start records, the hint in the reply.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void takes_in_order_of_adding(CaseContext& t) {
  const JobId one = t.add();
  const JobId two = t.add();
  const JobId three = t.add();
  EXPECT_THAT(t.take_ids(2), ElementsAre(one, two));
  EXPECT_THAT(t.take_ids(2), ElementsAre(three));
  EXPECT_THAT(t.take_ids(2), IsEmpty());
}

void orders_priority_zero_by_dialect(CaseContext& t) {
  const JobId low = t.add("low", {.priority = 8});
  const JobId high = t.add("high", {.priority = 2});
  const JobId plain = t.add("plain");
  if (t.semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll) {
    EXPECT_THAT(t.take_ids(9), ElementsAre(plain, high, low));
  } else {
    EXPECT_THAT(t.take_ids(9), ElementsAre(high, low, plain));
  }
}

void records_start(CaseContext& t) {
  const JobId id = t.add("top");
  t.advance(Duration(1500));
  const TakeRequest request = t.take_request(1);
  const auto reply = t.send(request);
  ASSERT_EQ(reply.taken.size(), 1U);
  const Taken& taken = reply.taken[0];
  EXPECT_EQ(taken.token.value, request.op.session.value + ":" + std::to_string(request.op.sequence) + ":0");
  EXPECT_EQ(taken.function, FunctionName("top"));
  EXPECT_EQ(taken.job.state, State::kActive);
  EXPECT_EQ(taken.job.attempts_started, 1U);
  EXPECT_EQ(taken.job.attempts_made, 0U);
  EXPECT_EQ(taken.job.processed_by, t.worker);
  EXPECT_EQ(taken.job.processed_on, t.fixture.clock().wall());
  EXPECT_EQ(t.known(taken.job), t.known(t.job(id)));
}

void creates_new_token_for_each_start(CaseContext& t) {
  (void)t.add_all({{.name = "a"}, {.name = "b"}});
  const auto taken = t.take(2);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_NE(taken[0].token, taken[1].token);
  EXPECT_TRUE(t.finish(taken[0], outcome::Requeue{"test"}));
  const Taken again = t.take_one();
  EXPECT_EQ(again.job.id, taken[0].job.id);
  EXPECT_NE(again.token, taken[0].token);
  EXPECT_EQ(again.job.attempts_started, 2U);
}

void creates_unique_tokens_without_sequence_number(CaseContext& t) {
  (void)t.add_all({{.name = "a"}, {.name = "b"}});
  TakeRequest request = t.take_request(1);
  request.op.sequence = 0;
  const auto first = t.send(request).taken;
  const auto second = t.send(request).taken;
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(first[0].token, second[0].token);
}

void reports_whether_more_jobs_are_ready(CaseContext& t) {
  (void)t.add_all({{.name = "a"}, {.name = "b"}});
  EXPECT_TRUE(t.send(t.take_request(1)).next.more);
  EXPECT_FALSE(t.send(t.take_request(1)).next.more);
}

void reports_next_due_time(CaseContext& t) {
  (void)t.add("later", {.delay = Duration(5000)});
  (void)t.add("sooner", {.delay = Duration(2000)});
  EXPECT_EQ(t.send(t.take_request(1)).next.due, t.fixture.clock().wall() + Duration(2000));
}

void returns_nothing_from_unknown_queue(CaseContext& t) {
  const auto reply = t.send(t.take_request(3));
  EXPECT_TRUE(reply.taken.empty());
  EXPECT_FALSE(reply.next.more);
  EXPECT_FALSE(reply.next.due);
}

void takes_from_its_queue_only(CaseContext& t) {
  (void)t.must(t.store().add({.queue = QueueName("other"), .jobs = {{.name = "a"}}}));
  EXPECT_TRUE(t.take(1).empty());
}

/// Requeues and snoozes are not the job's failures, however many there are.
void does_not_limit_starts(CaseContext& t) {
  const JobId id = t.add();
  std::uint32_t starts = 0;
  for (int i = 0; i < 15; ++i) {
    for (const Outcome& uncounted :
         {Outcome(outcome::Requeue{"test"}), Outcome(outcome::RetryAfter{.counted = false})}) {
      const Taken taken = t.take_one();
      ASSERT_EQ(taken.job.id, id);
      EXPECT_EQ(taken.job.attempts_started, ++starts);
      ASSERT_TRUE(t.finish(taken, uncounted));
    }
  }
  const Taken last = t.take_one();
  EXPECT_EQ(last.job.attempts_started, starts + 1);
  EXPECT_EQ(last.job.attempts_made, 0U);
  EXPECT_EQ(last.job.stalled, 0U);
  ASSERT_TRUE(t.finish(last, outcome::Completed{"42"}));
  EXPECT_EQ(t.job(id).result, "42");
}

void respects_global_concurrency(CaseContext& t) {
  (void)t.must(t.store().set_global_concurrency(t.queue, 2));
  (void)t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = t.take(5);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_TRUE(t.take(5).empty());
  ASSERT_FALSE(taken.empty());
  EXPECT_TRUE(t.finish(taken[0], outcome::Completed{}));
  EXPECT_EQ(t.take(5).size(), 1U);
}

}  // namespace

std::vector<Case> taking_cases() {
  constexpr const char* kTheme = "Taking";
  return {
      {kTheme, "TakesInOrderOfAdding", takes_in_order_of_adding},
      {kTheme, "OrdersPriorityZeroByDialect", orders_priority_zero_by_dialect},
      {kTheme, "RecordsStart", records_start},
      {kTheme, "CreatesNewTokenForEachStart", creates_new_token_for_each_start},
      {kTheme, "CreatesUniqueTokensWithoutSequenceNumber", creates_unique_tokens_without_sequence_number},
      {kTheme, "ReportsWhetherMoreJobsAreReady", reports_whether_more_jobs_are_ready},
      {kTheme, "ReportsNextDueTime", reports_next_due_time},
      {kTheme, "ReturnsNothingFromUnknownQueue", returns_nothing_from_unknown_queue},
      {kTheme, "TakesFromItsQueueOnly", takes_from_its_queue_only},
      {kTheme, "DoesNotLimitStarts", does_not_limit_starts},
      {kTheme, "RespectsGlobalConcurrency", respects_global_concurrency, {Capability::kGlobalConcurrency}},
  };
}

}  // namespace gaur::conformance
