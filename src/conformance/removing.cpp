// Removal: one job, waiting jobs (drain), finished jobs (clean), the whole queue (obliterate).
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void removes_from_every_state_but_active(CaseContext& t) {
  const std::vector<JobId> ids{t.finished(outcome::Completed{}), t.finished(outcome::Failed{}), t.add(),
                               t.add("p", {.priority = 1}), t.add("d", {.delay = Duration(1000)})};
  (void)t.must(t.store().append_logs(t.ref(ids[0]), {"line"}));
  for (const JobId& id : ids) {
    (void)t.must(t.store().remove(t.ref(id)));
    EXPECT_FALSE(t.exists(id));
    EXPECT_EQ(t.error(t.store().logs(t.ref(id), 0, 1)), Errc::kNotFound);
  }
  EXPECT_EQ(t.counts(), Counts{});
  EXPECT_EQ(t.error(t.store().remove(t.ref(ids[0]))), Errc::kNotFound);
}

void rejects_removal_of_locked_job(CaseContext& t) {
  const JobId id = t.add();
  TakeRequest request = t.take_request(1);
  request.lock = Duration(1000);
  (void)t.send(request);
  EXPECT_EQ(t.error(t.store().remove(t.ref(id))), Errc::kBusy);
  EXPECT_EQ(t.state(id), State::kActive);
  t.advance(Duration(1001));
  (void)t.must(t.store().remove(t.ref(id)));
  EXPECT_EQ(t.counts(), Counts{});
  EXPECT_THAT(t.must(t.store().recover({.queue = t.queue})).requeued, IsEmpty());
}

void drain_removes_waiting_jobs(CaseContext& t) {
  (void)t.add();
  const Taken running = t.take_one();
  (void)t.add_all({{.name = "a"}, {.name = "b", .options = {.priority = 2}}});
  const JobId delayed = t.add("d", {.delay = Duration(1000)});
  EXPECT_EQ(t.must(t.store().drain(t.queue, false)), 2U);
  EXPECT_EQ(t.counts().ready(), 0U);
  EXPECT_EQ(t.state(delayed), State::kDelayed);
  EXPECT_EQ(t.must(t.store().drain(t.queue, true)), 1U);
  EXPECT_FALSE(t.exists(delayed));
  EXPECT_TRUE(t.finish(running, outcome::Completed{}));
}

void clean_removes_old_finished_jobs(CaseContext& t) {
  const JobId old = t.finished(outcome::Completed{});
  const JobId older_failure = t.finished(outcome::Failed{});
  t.advance(Duration(1000));
  const JobId young = t.finished(outcome::Completed{});
  EXPECT_EQ(t.must(t.store().clean(t.queue, State::kCompleted, Duration(500), 0)), 1U);
  EXPECT_FALSE(t.exists(old));
  EXPECT_TRUE(t.exists(young));
  EXPECT_TRUE(t.exists(older_failure));
  EXPECT_EQ(t.must(t.store().clean(t.queue, State::kFailed, Duration(0), 0)), 1U);
}

void clean_removes_oldest_up_to_limit(CaseContext& t) {
  std::vector<JobId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(t.finished(outcome::Completed{}));
  t.advance(Duration(10));
  EXPECT_EQ(t.must(t.store().clean(t.queue, State::kCompleted, Duration(5), 3)), 3U);
  EXPECT_THAT(t.ids(State::kCompleted), ElementsAre(ids[3]));
  EXPECT_EQ(t.counts()[State::kCompleted], 1U);
}

void obliterate_rejects_active_jobs_unless_forced(CaseContext& t) {
  (void)t.finished(outcome::Completed{});
  const JobId id = t.add();
  (void)t.take_one();
  EXPECT_FALSE(t.now(t.store().obliterate(t.queue, false)));
  EXPECT_TRUE(t.exists(id));
  (void)t.must(t.store().obliterate(t.queue, true));
  EXPECT_FALSE(t.exists(id));
  EXPECT_EQ(t.counts(), Counts{});
  EXPECT_THAT(t.ids(State::kCompleted), IsEmpty());
}

void rejects_finish_of_removed_job(CaseContext& t) {
  (void)t.add();
  const Taken taken = t.take_one();
  (void)t.must(t.store().obliterate(t.queue, true));
  const auto late = t.finish(taken, outcome::Completed{});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kNotFound);
  EXPECT_EQ(t.counts(), Counts{});
}

}  // namespace

std::vector<Case> removing_cases() {
  constexpr const char* kTheme = "Removing";
  return {
      {kTheme, "RemovesFromEveryStateButActive", removes_from_every_state_but_active},
      {kTheme, "RejectsRemovalOfLockedJob", rejects_removal_of_locked_job},
      {kTheme, "DrainRemovesWaitingJobs", drain_removes_waiting_jobs},
      {kTheme, "CleanRemovesOldFinishedJobs", clean_removes_old_finished_jobs},
      {kTheme, "CleanRemovesOldestUpToLimit", clean_removes_oldest_up_to_limit},
      {kTheme, "ObliterateRejectsActiveJobsUnlessForced", obliterate_rejects_active_jobs_unless_forced},
      {kTheme, "RejectsFinishOfRemovedJob", rejects_finish_of_removed_job},
  };
}

}  // namespace gaur::conformance
