// Cancelling: waiting jobs fail at once, active jobs are asked to end, finished jobs do not change.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CancelReply cancel(CaseContext& t, const JobId& id) {
  return t.must(t.store().cancel(t.ref(id), "kim", "not needed"));
}

void fails_waiting_job_at_once(CaseContext& t) {
  const auto added = t.add_all({{.name = "a", .options = {.attempts = 5}},
                                {.name = "b", .options = {.priority = 2}},
                                {.name = "c", .options = {.delay = Duration(1000)}}});
  for (const Added& one : added) {
    EXPECT_EQ(cancel(t, one.id), CancelReply::kRemoved);
    const Job job = t.job(one.id);
    EXPECT_EQ(job.state, State::kFailed);
    ASSERT_TRUE(job.failure);
    if (t.can(Capability::kFailureCode)) {
      EXPECT_EQ(job.failure->code, "cancelled");
    }
    EXPECT_THAT(job.failure->message, HasSubstr("kim"));
    EXPECT_THAT(job.failure->message, HasSubstr("not needed"));
    EXPECT_EQ(job.attempts_made, 0U);
    EXPECT_EQ(job.finished_on, t.fixture.clock().wall());
    EXPECT_FALSE(job.due);
  }
  EXPECT_TRUE(t.take(9).empty());
  EXPECT_EQ(t.counts()[State::kFailed], 3U);
  t.advance(Duration(2000));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_EQ(t.counts().ready(), 0U);
}

void is_reported_in_take_reply(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  EXPECT_EQ(cancel(t, id), CancelReply::kRequested);
  EXPECT_EQ(t.state(id), State::kActive);
  const CancelRequest expected{
      .queue = t.queue, .id = id, .token = taken.token, .who = "kim", .why = "not needed"};
  EXPECT_THAT(t.send(t.take_request(0)).cancels, ElementsAre(expected));
  EXPECT_TRUE(t.finish(taken, outcome::Failed{{.code = "cancelled", .message = "kim: not needed"}}));
  EXPECT_EQ(t.job(id).failure->message, "kim: not needed");
  if (t.can(Capability::kFailureCode)) {
    EXPECT_EQ(t.job(id).failure->code, "cancelled");
  }
  EXPECT_THAT(t.send(t.take_request(0)).cancels, IsEmpty());
}

void is_reported_on_lock_renewal(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  (void)cancel(t, id);
  const auto reply =
      t.must(t.store().extend_locks({.queue = t.queue, .held = {{id, taken.token}}, .worker = t.worker}));
  ASSERT_EQ(reply.cancels.size(), 1U);
  EXPECT_EQ(reply.cancels[0].token, taken.token);
}

void is_reported_by_wait_for_work(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  // The first answer may report the add; the next one then reports the cancel.
  auto reply = t.later(
      t.store().wait_for_work({.worker = t.worker, .queues = {t.queue}, .at_most = Duration(3'600'000)}));
  (void)cancel(t, id);
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  if (answer->cancels.empty()) {
    answer = t.now(
        t.store().wait_for_work({.worker = t.worker, .queues = {t.queue}, .at_most = Duration(3'600'000)}));
    ASSERT_TRUE(answer);
  }
  ASSERT_EQ(answer->cancels.size(), 1U);
  EXPECT_EQ(answer->cancels[0].id, id);
}

void is_reported_to_owner_only(CaseContext& t) {
  const JobId id = t.add();
  (void)t.take_one();
  (void)cancel(t, id);
  t.worker = "worker-2";
  EXPECT_THAT(t.send(t.take_request(0)).cancels, IsEmpty());
}

void allows_run_to_complete(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  (void)cancel(t, id);
  EXPECT_TRUE(t.finish(taken, outcome::Completed{"42"}));
  EXPECT_EQ(t.state(id), State::kCompleted);
}

void does_not_change_finished_job(CaseContext& t) {
  EXPECT_EQ(cancel(t, t.finished(outcome::Completed{})), CancelReply::kFinished);
  EXPECT_EQ(cancel(t, t.finished(outcome::Failed{})), CancelReply::kFinished);
  EXPECT_EQ(t.error(t.store().cancel(t.ref(JobId("not-here")), "kim", "")), Errc::kNotFound);
}

}  // namespace

std::vector<Case> cancelling_cases() {
  constexpr const char* kTheme = "Cancelling";
  return {
      {kTheme, "FailsWaitingJobAtOnce", fails_waiting_job_at_once},
      {kTheme, "IsReportedInTakeReply", is_reported_in_take_reply},
      {kTheme, "IsReportedOnLockRenewal", is_reported_on_lock_renewal},
      {kTheme, "IsReportedByWaitForWork", is_reported_by_wait_for_work},
      {kTheme, "IsReportedToOwnerOnly", is_reported_to_owner_only},
      {kTheme, "AllowsRunToComplete", allows_run_to_complete},
      {kTheme, "DoesNotChangeFinishedJob", does_not_change_finished_job},
  };
}

}  // namespace gaur::conformance
