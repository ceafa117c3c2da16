// Sending again is safe: a lane's last operation is carried out once, however often it is sent.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;

AddRequest numbered(CaseContext& b, std::uint64_t number, std::vector<NewJob> jobs) {
  AddRequest request = b.request(std::move(jobs));
  request.op = {SessionName("producer"), number};
  return request;
}

void an_add_sent_twice_is_one_add(CaseContext& b) {
  const AddRequest request = numbered(b, 1, {{.name = "a"}, {.name = "b"}});
  const auto first = b.must(b.store().add(request));
  (void)b.take_one();
  EXPECT_EQ(b.must(b.store().add(request)), first);
  EXPECT_EQ(b.counts()[State::kWaiting], 1U);
  EXPECT_EQ(b.counts()[State::kActive], 1U);
}

void an_add_sent_again_after_a_crash(CaseContext& b) {
  const AddRequest request = numbered(b, 1, {{.name = "a"}});
  const auto first = b.must(b.store().add(request));
  b.rig.crash_and_reopen();
  EXPECT_EQ(b.must(b.store().add(request)), first);
  EXPECT_EQ(b.counts()[State::kWaiting], 1U);
}

void a_turn_sent_twice_takes_once(CaseContext& b) {
  const auto added = b.add_all({{.name = "a"}, {.name = "b"}});
  const Taken before = b.take_one();
  TakeRequest turn = b.turn(1);
  turn.finished.push_back({.id = before.job.id, .token = before.token, .outcome = outcome::Completed{"1"}});
  const auto first = b.play(turn);
  const auto again = b.play(turn);
  EXPECT_EQ(again.taken, first.taken);
  ASSERT_EQ(again.finished.size(), 1U);
  EXPECT_EQ(again.finished[0], first.finished[0]) << "the answer of the first time, not a refusal";
  EXPECT_EQ(b.job(added[1].id).attempts_started, 1U);
  EXPECT_EQ(b.counts()[State::kActive], 1U);
  ASSERT_EQ(again.taken.size(), 1U);
  EXPECT_TRUE(b.finish(again.taken[0], outcome::Completed{}));
}

void the_next_number_is_a_new_operation(CaseContext& b) {
  (void)b.must(b.store().add(numbered(b, 1, {{.name = "a"}})));
  (void)b.must(b.store().add(numbered(b, 2, {{.name = "a"}})));
  EXPECT_EQ(b.counts()[State::kWaiting], 2U);
}

void a_number_that_goes_back_is_refused(CaseContext& b) {
  (void)b.must(b.store().add(numbered(b, 5, {{.name = "a"}})));
  EXPECT_EQ(b.error(b.store().add(numbered(b, 4, {{.name = "a"}}))), Errc::kInvalidArgument);
  EXPECT_EQ(b.counts()[State::kWaiting], 1U);
}

void lanes_are_apart(CaseContext& b) {
  AddRequest request = numbered(b, 1, {{.name = "a"}});
  (void)b.must(b.store().add(request));
  request.op.session = SessionName("another");
  (void)b.must(b.store().add(request));
  EXPECT_EQ(b.counts()[State::kWaiting], 2U);
}

void number_zero_is_not_remembered(CaseContext& b) {
  (void)b.must(b.store().add(numbered(b, 0, {{.name = "a"}})));
  (void)b.must(b.store().add(numbered(b, 0, {{.name = "a"}})));
  EXPECT_EQ(b.counts()[State::kWaiting], 2U);
}

void what_was_refused_whole_is_judged_anew(CaseContext& b) {
  const JobId id = b.add();
  AddRequest request = numbered(b, 1, {{.name = "a"}});
  request.max_waiting = 1;
  EXPECT_EQ(b.error(b.store().add(request)), Errc::kQueueFull);
  (void)b.must(b.store().remove(b.ref(id)));
  EXPECT_EQ(b.must(b.store().add(request)).size(), 1U);
  EXPECT_EQ(b.must(b.store().add(request)).size(), 1U);
  EXPECT_EQ(b.counts()[State::kWaiting], 1U);
}

}  // namespace

std::vector<Case> lane_cases() {
  constexpr const char* kTheme = "Lanes";
  return {
      {kTheme, "AnAddSentTwiceIsOneAdd", an_add_sent_twice_is_one_add},
      {kTheme, "AnAddSentAgainAfterACrashIsOneAdd", an_add_sent_again_after_a_crash},
      {kTheme, "ATurnSentTwiceFinishesAndTakesOnce", a_turn_sent_twice_takes_once},
      {kTheme, "TheNextNumberIsANewOperation", the_next_number_is_a_new_operation},
      {kTheme, "ANumberThatGoesBackIsRefused", a_number_that_goes_back_is_refused},
      {kTheme, "LanesAreApart", lanes_are_apart},
      {kTheme, "NumberZeroIsNotRemembered", number_zero_is_not_remembered},
      {kTheme, "WhatWasRefusedWholeIsJudgedAnew", what_was_refused_whole_is_judged_anew},
  };
}

}  // namespace gaur::conformance
