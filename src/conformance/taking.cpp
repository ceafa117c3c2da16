// Taking in plain order: who is handed out next, what a start records, what the reply tells.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void first_in_first_out(CaseContext& b) {
  const JobId one = b.add();
  const JobId two = b.add();
  const JobId three = b.add();
  EXPECT_THAT(b.take_ids(2), ElementsAre(one, two));
  EXPECT_THAT(b.take_ids(2), ElementsAre(three));
  EXPECT_THAT(b.take_ids(2), IsEmpty());
}

void the_place_of_priority_zero(CaseContext& b) {
  const JobId low = b.add("low", {.priority = 8});
  const JobId high = b.add("high", {.priority = 2});
  const JobId plain = b.add("plain");
  if (b.semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll) {
    EXPECT_THAT(b.take_ids(9), ElementsAre(plain, high, low));
  } else {
    EXPECT_THAT(b.take_ids(9), ElementsAre(high, low, plain));
  }
}

void a_start_is_recorded(CaseContext& b) {
  const JobId id = b.add("top");
  b.advance(Duration(1500));
  const TakeRequest turn = b.turn(1);
  const auto reply = b.play(turn);
  ASSERT_EQ(reply.taken.size(), 1U);
  const Taken& taken = reply.taken[0];
  EXPECT_EQ(taken.token.value, turn.op.session.value + ":" + std::to_string(turn.op.sequence) + ":0");
  EXPECT_EQ(taken.function, FunctionName("top"));
  EXPECT_EQ(taken.job.state, State::kActive);
  EXPECT_EQ(taken.job.attempts_started, 1U);
  EXPECT_EQ(taken.job.attempts_made, 0U);
  EXPECT_EQ(taken.job.processed_by, b.worker);
  EXPECT_EQ(taken.job.processed_on, b.rig.clock().wall());
  EXPECT_EQ(b.known(taken.job), b.known(b.job(id)));
}

void each_start_has_its_own_token(CaseContext& b) {
  (void)b.add_all({{.name = "a"}, {.name = "b"}});
  const auto taken = b.take(2);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_NE(taken[0].token, taken[1].token);
  EXPECT_TRUE(b.finish(taken[0], outcome::Requeue{"test"}));
  const Taken again = b.take_one();
  EXPECT_EQ(again.job.id, taken[0].job.id);
  EXPECT_NE(again.token, taken[0].token);
  EXPECT_EQ(again.job.attempts_started, 2U);
}

void unnumbered_turns_have_own_tokens_too(CaseContext& b) {
  (void)b.add_all({{.name = "a"}, {.name = "b"}});
  TakeRequest turn = b.turn(1);
  turn.op.sequence = 0;
  const auto first = b.play(turn).taken;
  const auto second = b.play(turn).taken;
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(first[0].token, second[0].token);
}

void more_is_told(CaseContext& b) {
  (void)b.add_all({{.name = "a"}, {.name = "b"}});
  EXPECT_TRUE(b.play(b.turn(1)).next.more);
  EXPECT_FALSE(b.play(b.turn(1)).next.more);
}

void the_next_due_time_is_told(CaseContext& b) {
  (void)b.add("later", {.delay = Duration(5000)});
  (void)b.add("sooner", {.delay = Duration(2000)});
  EXPECT_EQ(b.play(b.turn(1)).next.due, b.rig.clock().wall() + Duration(2000));
}

void a_queue_that_nobody_knows(CaseContext& b) {
  const auto reply = b.play(b.turn(3));
  EXPECT_TRUE(reply.taken.empty());
  EXPECT_FALSE(reply.next.more);
  EXPECT_FALSE(reply.next.due);
}

void queues_are_apart(CaseContext& b) {
  (void)b.must(b.store().add({.queue = QueueName("other"), .jobs = {{.name = "a"}}}));
  EXPECT_TRUE(b.take(1).empty());
}

void nothing_starts_more_often_than_allowed(CaseContext& b) {
  const JobId id = b.add();
  for (std::uint32_t start = 1; start <= b.semantics.max_starts; ++start) {
    const Taken taken = b.take_one();
    EXPECT_EQ(taken.job.attempts_started, start);
    EXPECT_TRUE(b.finish(taken, outcome::Requeue{"test"}));
  }
  const JobId next = b.add("next");
  EXPECT_THAT(b.take_ids(1), ElementsAre(next));
  const Job job = b.job(id);
  EXPECT_EQ(job.state, State::kFailed);
  ASSERT_TRUE(job.failure);
  if (b.can(Capability::kFailureCode)) {
    EXPECT_EQ(job.failure->code, "stalled");
  }
  EXPECT_EQ(job.attempts_started, b.semantics.max_starts);
}

void global_concurrency(CaseContext& b) {
  (void)b.must(b.store().set_global_concurrency(b.queue, 2));
  (void)b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = b.take(5);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_TRUE(b.take(5).empty());
  ASSERT_FALSE(taken.empty());
  EXPECT_TRUE(b.finish(taken[0], outcome::Completed{}));
  EXPECT_EQ(b.take(5).size(), 1U);
}

}  // namespace

std::vector<Case> taking_cases() {
  constexpr const char* kTheme = "Taking";
  return {
      {kTheme, "IsFirstInFirstOut", first_in_first_out},
      {kTheme, "PlacesPriorityZeroAsTheDialectDoes", the_place_of_priority_zero},
      {kTheme, "RecordsTheStart", a_start_is_recorded},
      {kTheme, "GivesEachStartItsOwnToken", each_start_has_its_own_token},
      {kTheme, "GivesUnnumberedTurnsTheirOwnTokensToo", unnumbered_turns_have_own_tokens_too},
      {kTheme, "TellsWhetherMoreWaits", more_is_told},
      {kTheme, "TellsTheNextDueTime", the_next_due_time_is_told},
      {kTheme, "FromAQueueThatNobodyKnowsIsEmpty", a_queue_that_nobody_knows},
      {kTheme, "KeepsQueuesApart", queues_are_apart},
      {kTheme, "StartsNothingMoreOftenThanAllowed", nothing_starts_more_often_than_allowed},
      {kTheme, "HoldsTheGlobalConcurrency", global_concurrency, {Capability::kGlobalConcurrency}},
  };
}

}  // namespace gaur::conformance
