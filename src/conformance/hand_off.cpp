// Hand-off: a parked turn is served by the step that makes a job ready. And wait_for_work, the hint.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Duration kLong{3'600'000};

TakeRequest parked(CaseContext& b, std::uint32_t take, Duration park = kLong) {
  TakeRequest turn = b.turn(take);
  turn.long_poll = park;
  return turn;
}

/// Sends a turn that parks. What is sent after it is judged after it: the verb that follows proves that it
/// parked.
Pending<TakeReply> park(CaseContext& b, TakeRequest turn) {
  auto reply = b.later(b.store().finish_and_take(std::move(turn)));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_FALSE(reply.ready()) << "there was nothing to take: the turn was to park";
  return reply;
}

std::vector<JobId> taken_by(Pending<TakeReply>& reply) {
  auto result = reply.get();
  EXPECT_TRUE(result) << result.error().message;
  std::vector<JobId> ids;
  if (!result) return ids;
  for (const Taken& taken : result->taken) ids.push_back(taken.job.id);
  return ids;
}

void an_add_is_taken_in_the_same_step(CaseContext& b) {
  TakeRequest turn = parked(b, 2);
  auto reply = park(b, turn);
  const auto added = b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0].state, State::kActive);
  EXPECT_EQ(added[1].state, State::kActive);
  EXPECT_EQ(added[2].state, State::kWaiting);
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->taken.size(), 2U);
  EXPECT_EQ(answer->taken[0].job.id, added[0].id);
  EXPECT_EQ(answer->taken[0].token.value, b.worker + ":" + std::to_string(turn.op.sequence) + ":0");
  EXPECT_EQ(b.counts()[State::kActive], 2U);
  EXPECT_TRUE(b.finish(answer->taken[0], outcome::Completed{}));
  EXPECT_EQ(b.story(added[1].id), "added waiting active");
}

void promotion_and_waking_serve_it(CaseContext& b) {
  const JobId promoted = b.add("d", {.delay = Duration(50'000)});
  const JobId woken = b.add("d", {.delay = Duration(1000)});
  auto first = park(b, parked(b, 1));
  (void)b.must(b.store().promote(b.ref(promoted)));
  EXPECT_THAT(taken_by(first), ElementsAre(promoted));
  auto second = park(b, parked(b, 1));
  b.advance(Duration(1000));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_THAT(taken_by(second), ElementsAre(woken));
}

void what_comes_back_serves_it(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  b.worker = "worker-2";
  auto reply = park(b, parked(b, 1));
  b.worker = "worker-1";
  EXPECT_TRUE(b.finish(taken, outcome::Requeue{"stop"}));
  EXPECT_THAT(taken_by(reply), ElementsAre(id));
}

void the_longest_parked_is_served_first(CaseContext& b) {
  b.worker = "worker-1";
  auto first = park(b, parked(b, 1));
  b.worker = "worker-2";
  auto second = park(b, parked(b, 1));
  const JobId one = b.add();
  EXPECT_THAT(taken_by(first), ElementsAre(one));
  const JobId two = b.add();
  EXPECT_THAT(taken_by(second), ElementsAre(two));
}

void the_next_turn_of_its_lane_ends_it(CaseContext& b) {
  auto reply = park(b, parked(b, 1));
  EXPECT_TRUE(b.take(0).empty());
  EXPECT_THAT(taken_by(reply), IsEmpty());
  const JobId id = b.add();
  EXPECT_EQ(b.state(id), State::kWaiting) << "nobody is parked any more";
}

void it_ends_when_its_time_is_over(CaseContext& b) {
  auto reply = park(b, parked(b, 1, Duration(1000)));
  b.advance(Duration(1001));
  EXPECT_THAT(taken_by(reply), IsEmpty());
  EXPECT_EQ(b.state(b.add()), State::kWaiting);
}

void it_takes_only_what_fits(CaseContext& b) {
  TakeRequest turn = parked(b, 5);
  turn.filter = AdmissionFilter{.free = {.cores = 1, .memory_bytes = 100}};
  turn.filter->needs[FunctionName("small")] = {.cores = 1, .memory_bytes = 50};
  auto reply = park(b, turn);
  const JobId foreign = b.add("not-served");
  EXPECT_EQ(b.state(foreign), State::kWaiting);
  EXPECT_FALSE(reply.ready());
  const JobId small = b.add("small");
  EXPECT_THAT(taken_by(reply), ElementsAre(small));
}

void its_finishes_are_committed_at_once(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  TakeRequest turn = parked(b, 1);
  turn.finished.push_back({.id = id, .token = taken.token, .outcome = outcome::Completed{"1"}});
  auto reply = park(b, turn);
  EXPECT_EQ(b.state(id), State::kCompleted);
  (void)b.take(0);
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->finished.size(), 1U);
  EXPECT_TRUE(answer->finished[0]);
}

void a_repeat_of_a_parked_turn_joins_it(CaseContext& b) {
  const TakeRequest turn = parked(b, 1);
  auto first = park(b, turn);
  auto again = park(b, turn);
  const JobId id = b.add();
  EXPECT_THAT(taken_by(first), ElementsAre(id));
  EXPECT_THAT(taken_by(again), ElementsAre(id));
  EXPECT_THAT(b.play(turn).taken, testing::SizeIs(1));
  EXPECT_EQ(b.job(id).attempts_started, 1U);
}

void a_paused_queue_serves_nobody(CaseContext& b) {
  (void)b.must(b.store().pause(b.queue));
  auto reply = park(b, parked(b, 1));
  const JobId id = b.add();
  EXPECT_EQ(b.state(id), State::kWaiting);
  EXPECT_FALSE(reply.ready());
  (void)b.must(b.store().resume(b.queue));
  EXPECT_THAT(taken_by(reply), ElementsAre(id));
}

void a_take_of_a_closing_store_is_answered(CaseContext& b) {
  auto reply = park(b, parked(b, 1));
  b.rig.crash_and_reopen();
  const auto answer = reply.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kStopping);
  EXPECT_EQ(b.state(b.add()), State::kWaiting);
}

// ---- wait_for_work ---------------------------------------------------------------------------

WorkRequest hint(CaseContext& b, Duration at_most = kLong) {
  return {.worker = b.worker, .queues = {b.queue, QueueName("other")}, .at_most = at_most};
}

void an_add_wakes_who_waits(CaseContext& b) {
  auto reply = b.later(b.store().wait_for_work(hint(b)));
  (void)b.must(b.store().add({.queue = QueueName("other"), .jobs = {{.name = "a"}}}));
  const auto answer = reply.get();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->queues, ElementsAre(QueueName("other")));
}

void what_waits_already_is_told_at_once(CaseContext& b) {
  (void)b.add();
  EXPECT_THAT(b.must(b.store().wait_for_work(hint(b))).queues, ElementsAre(b.queue));
}

void a_wait_ends_at_its_time(CaseContext& b) {
  auto reply = b.later(b.store().wait_for_work(hint(b, Duration(500))));
  b.advance(Duration(501));
  const auto answer = reply.get();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->queues, IsEmpty());
}

}  // namespace

std::vector<Case> hand_off_cases() {
  constexpr const char* kTheme = "HandOff";
  const std::vector<Capability> parking{Capability::kHandOff};
  return {
      {kTheme, "AnAddIsTakenInTheSameStep", an_add_is_taken_in_the_same_step, parking},
      {kTheme, "PromotionAndWakingServeAParkedTurn", promotion_and_waking_serve_it, parking},
      {kTheme, "WhatComesBackServesAParkedTurn", what_comes_back_serves_it, parking},
      {kTheme, "TheLongestParkedIsServedFirst", the_longest_parked_is_served_first, parking},
      {kTheme, "TheNextTurnOfItsLaneEndsIt", the_next_turn_of_its_lane_ends_it, parking},
      {kTheme, "EndsWhenItsTimeIsOver", it_ends_when_its_time_is_over, parking},
      {kTheme, "TakesOnlyWhatFits", it_takes_only_what_fits, parking},
      {kTheme, "ItsFinishesAreCommittedAtOnce", its_finishes_are_committed_at_once, parking},
      {kTheme, "ARepeatOfAParkedTurnJoinsIt", a_repeat_of_a_parked_turn_joins_it, parking},
      {kTheme, "APausedQueueServesNobody", a_paused_queue_serves_nobody, parking},
      {kTheme, "AClosingStoreAnswersIt", a_take_of_a_closing_store_is_answered, parking},
      {"WaitForWork", "IsWokenByAnAdd", an_add_wakes_who_waits},
      {"WaitForWork", "TellsAtOnceWhatWaitsAlready", what_waits_already_is_told_at_once},
      {"WaitForWork", "EndsAtItsTime", a_wait_ends_at_its_time},
  };
}

}  // namespace gaur::conformance
