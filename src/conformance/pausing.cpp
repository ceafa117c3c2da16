// Pause and resume.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

void starts_nothing(CaseContext& t) {
  const JobId id = t.add();
  (void)t.must(t.store().pause(t.queue));
  const auto reply = t.send(t.take_request(5));
  EXPECT_TRUE(reply.taken.empty());
  EXPECT_TRUE(reply.next.paused);
  EXPECT_TRUE(t.counts().paused);
  EXPECT_EQ(t.state(id), State::kWaiting);
  (void)t.must(t.store().resume(t.queue));
  EXPECT_FALSE(t.counts().paused);
  EXPECT_EQ(t.take_one().job.id, id);
}

void allows_active_jobs_to_finish(CaseContext& t) {
  (void)t.add();
  const Taken taken = t.take_one();
  (void)t.must(t.store().pause(t.queue));
  EXPECT_TRUE(t.finish(taken, outcome::Completed{}));
}

void allows_add_and_wake(CaseContext& t) {
  (void)t.must(t.store().pause(t.queue));
  (void)t.add();
  (void)t.add("d", {.delay = Duration(10)});
  t.advance(Duration(10));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_EQ(t.counts()[State::kWaiting], 2U);
}

void survives_reopening(CaseContext& t) {
  (void)t.add();
  (void)t.must(t.store().pause(t.queue));
  t.fixture.crash_and_reopen();
  EXPECT_TRUE(t.counts().paused);
  EXPECT_TRUE(t.take(1).empty());
}

void is_idempotent(CaseContext& t) {
  (void)t.must(t.store().pause(t.queue));
  (void)t.must(t.store().pause(t.queue));
  (void)t.must(t.store().resume(t.queue));
  EXPECT_FALSE(t.counts().paused);
  (void)t.must(t.store().resume(t.queue));
}

void affects_its_queue_only(CaseContext& t) {
  (void)t.must(t.store().pause(QueueName("other")));
  (void)t.add();
  EXPECT_EQ(t.take(1).size(), 1U);
}

}  // namespace

std::vector<Case> pausing_cases() {
  constexpr const char* kTheme = "Pausing";
  return {
      {kTheme, "StartsNothing", starts_nothing},
      {kTheme, "AllowsActiveJobsToFinish", allows_active_jobs_to_finish},
      {kTheme, "AllowsAddAndWake", allows_add_and_wake},
      {kTheme, "SurvivesReopening", survives_reopening},
      {kTheme, "IsIdempotent", is_idempotent},
      {kTheme, "AffectsItsQueueOnly", affects_its_queue_only},
  };
}

}  // namespace gaur::conformance
