// Sessions: the last operation of a session is executed once, however often it is sent.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;

AddRequest numbered(CaseContext& t, std::uint64_t number, std::vector<NewJob> jobs) {
  AddRequest request = t.request(std::move(jobs));
  request.op = {SessionName("producer"), number};
  return request;
}

void repeated_add_is_executed_once(CaseContext& t) {
  const AddRequest request = numbered(t, 1, {{.name = "a"}, {.name = "b"}});
  const auto first = t.must(t.store().add(request));
  (void)t.take_one();
  EXPECT_EQ(t.must(t.store().add(request)), first);
  EXPECT_EQ(t.counts()[State::kWaiting], 1U);
  EXPECT_EQ(t.counts()[State::kActive], 1U);
}

void repeated_add_after_crash_is_executed_once(CaseContext& t) {
  const AddRequest request = numbered(t, 1, {{.name = "a"}});
  const auto first = t.must(t.store().add(request));
  t.fixture.crash_and_reopen();
  EXPECT_EQ(t.must(t.store().add(request)), first);
  EXPECT_EQ(t.counts()[State::kWaiting], 1U);
}

void repeated_take_is_executed_once(CaseContext& t) {
  const auto added = t.add_all({{.name = "a"}, {.name = "b"}});
  const Taken before = t.take_one();
  TakeRequest request = t.take_request(1);
  request.finished.push_back(
      {.id = before.job.id, .token = before.token, .outcome = outcome::Completed{"1"}});
  const auto first = t.send(request);
  const auto again = t.send(request);
  EXPECT_EQ(again.taken, first.taken);
  ASSERT_EQ(again.finished.size(), 1U);
  EXPECT_EQ(again.finished[0], first.finished[0]) << "the first reply, not an error";
  EXPECT_EQ(t.job(added[1].id).attempts_started, 1U);
  EXPECT_EQ(t.counts()[State::kActive], 1U);
  ASSERT_EQ(again.taken.size(), 1U);
  EXPECT_TRUE(t.finish(again.taken[0], outcome::Completed{}));
}

void next_sequence_number_is_new_operation(CaseContext& t) {
  (void)t.must(t.store().add(numbered(t, 1, {{.name = "a"}})));
  (void)t.must(t.store().add(numbered(t, 2, {{.name = "a"}})));
  EXPECT_EQ(t.counts()[State::kWaiting], 2U);
}

void reject_lower_sequence_number(CaseContext& t) {
  (void)t.must(t.store().add(numbered(t, 5, {{.name = "a"}})));
  EXPECT_EQ(t.error(t.store().add(numbered(t, 4, {{.name = "a"}}))), Errc::kInvalidArgument);
  EXPECT_EQ(t.counts()[State::kWaiting], 1U);
}

void are_independent(CaseContext& t) {
  AddRequest request = numbered(t, 1, {{.name = "a"}});
  (void)t.must(t.store().add(request));
  request.op.session = SessionName("another");
  (void)t.must(t.store().add(request));
  EXPECT_EQ(t.counts()[State::kWaiting], 2U);
}

void sequence_number_zero_is_not_remembered(CaseContext& t) {
  (void)t.must(t.store().add(numbered(t, 0, {{.name = "a"}})));
  (void)t.must(t.store().add(numbered(t, 0, {{.name = "a"}})));
  EXPECT_EQ(t.counts()[State::kWaiting], 2U);
}

void rejected_operation_is_executed_on_repeat(CaseContext& t) {
  const JobId id = t.add();
  AddRequest request = numbered(t, 1, {{.name = "a"}});
  request.max_waiting = 1;
  EXPECT_EQ(t.error(t.store().add(request)), Errc::kQueueFull);
  (void)t.must(t.store().remove(t.ref(id)));
  EXPECT_EQ(t.must(t.store().add(request)).size(), 1U);
  EXPECT_EQ(t.must(t.store().add(request)).size(), 1U);
  EXPECT_EQ(t.counts()[State::kWaiting], 1U);
}

}  // namespace

std::vector<Case> session_cases() {
  constexpr const char* kTheme = "Sessions";
  return {
      {kTheme, "RepeatedAddIsExecutedOnce", repeated_add_is_executed_once},
      {kTheme, "RepeatedAddAfterCrashIsExecutedOnce", repeated_add_after_crash_is_executed_once},
      {kTheme, "RepeatedTakeIsExecutedOnce", repeated_take_is_executed_once},
      {kTheme, "NextSequenceNumberIsNewOperation", next_sequence_number_is_new_operation},
      {kTheme, "RejectLowerSequenceNumber", reject_lower_sequence_number},
      {kTheme, "AreIndependent", are_independent},
      {kTheme, "SequenceNumberZeroIsNotRemembered", sequence_number_zero_is_not_remembered},
      {kTheme, "RejectedOperationIsExecutedOnRepeat", rejected_operation_is_executed_on_repeat},
  };
}

}  // namespace gaur::conformance
