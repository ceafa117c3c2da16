// Removal: one job, what waits, what finished, the whole queue.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void from_every_state(CaseContext& b) {
  const std::vector<JobId> ids{b.finished(outcome::Completed{}), b.finished(outcome::Failed{}), b.add(),
                               b.add("p", {.priority = 1}), b.add("d", {.delay = Duration(1000)})};
  (void)b.must(b.store().append_logs(b.ref(ids[0]), {"line"}));
  for (const JobId& id : ids) {
    (void)b.must(b.store().remove(b.ref(id)));
    EXPECT_FALSE(b.exists(id));
    EXPECT_EQ(b.error(b.store().logs(b.ref(id), 0, 1)), Errc::kNotFound);
  }
  EXPECT_EQ(b.counts(), Counts{});
  EXPECT_EQ(b.error(b.store().remove(b.ref(ids[0]))), Errc::kNotFound);
}

void not_while_it_runs(CaseContext& b) {
  const JobId id = b.add();
  TakeRequest turn = b.turn(1);
  turn.lock = Duration(1000);
  (void)b.play(turn);
  EXPECT_EQ(b.error(b.store().remove(b.ref(id))), Errc::kBusy);
  EXPECT_EQ(b.state(id), State::kActive);
  b.advance(Duration(1001));
  (void)b.must(b.store().remove(b.ref(id)));
  EXPECT_EQ(b.counts(), Counts{});
  EXPECT_THAT(b.must(b.store().recover({.queue = b.queue})).requeued, IsEmpty());
}

void drain_removes_what_waits(CaseContext& b) {
  (void)b.add();
  const Taken running = b.take_one();
  (void)b.add_all({{.name = "a"}, {.name = "b", .options = {.priority = 2}}});
  const JobId delayed = b.add("d", {.delay = Duration(1000)});
  EXPECT_EQ(b.must(b.store().drain(b.queue, false)), 2U);
  EXPECT_EQ(b.counts().ready(), 0U);
  EXPECT_EQ(b.state(delayed), State::kDelayed);
  EXPECT_EQ(b.must(b.store().drain(b.queue, true)), 1U);
  EXPECT_FALSE(b.exists(delayed));
  EXPECT_TRUE(b.finish(running, outcome::Completed{}));
}

void clean_removes_what_finished_long_ago(CaseContext& b) {
  const JobId old = b.finished(outcome::Completed{});
  const JobId older_failure = b.finished(outcome::Failed{});
  b.advance(Duration(1000));
  const JobId young = b.finished(outcome::Completed{});
  EXPECT_EQ(b.must(b.store().clean(b.queue, State::kCompleted, Duration(500), 0)), 1U);
  EXPECT_FALSE(b.exists(old));
  EXPECT_TRUE(b.exists(young));
  EXPECT_TRUE(b.exists(older_failure));
  EXPECT_EQ(b.must(b.store().clean(b.queue, State::kFailed, Duration(0), 0)), 1U);
}

void clean_takes_the_oldest_up_to_its_limit(CaseContext& b) {
  std::vector<JobId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(b.finished(outcome::Completed{}));
  b.advance(Duration(10));
  EXPECT_EQ(b.must(b.store().clean(b.queue, State::kCompleted, Duration(5), 3)), 3U);
  EXPECT_THAT(b.ids(State::kCompleted), ElementsAre(ids[3]));
  EXPECT_EQ(b.counts()[State::kCompleted], 1U);
}

void obliterate_spares_running_jobs_unless_forced(CaseContext& b) {
  (void)b.finished(outcome::Completed{});
  const JobId id = b.add();
  (void)b.take_one();
  EXPECT_FALSE(b.now(b.store().obliterate(b.queue, false)));
  EXPECT_TRUE(b.exists(id));
  (void)b.must(b.store().obliterate(b.queue, true));
  EXPECT_FALSE(b.exists(id));
  EXPECT_EQ(b.counts(), Counts{});
  EXPECT_THAT(b.ids(State::kCompleted), IsEmpty());
}

void a_late_finish_of_a_removed_job(CaseContext& b) {
  (void)b.add();
  const Taken taken = b.take_one();
  (void)b.must(b.store().obliterate(b.queue, true));
  const auto late = b.finish(taken, outcome::Completed{});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kNotFound);
  EXPECT_EQ(b.counts(), Counts{});
}

}  // namespace

std::vector<Case> removing_cases() {
  constexpr const char* kTheme = "Removing";
  return {
      {kTheme, "WorksInEveryRestingState", from_every_state},
      {kTheme, "IsRefusedWhileTheJobRuns", not_while_it_runs},
      {kTheme, "DrainRemovesWhatWaits", drain_removes_what_waits},
      {kTheme, "CleanRemovesWhatFinishedLongAgo", clean_removes_what_finished_long_ago},
      {kTheme, "CleanTakesTheOldestUpToItsLimit", clean_takes_the_oldest_up_to_its_limit},
      {kTheme, "ObliterateSparesRunningJobsUnlessForced", obliterate_spares_running_jobs_unless_forced},
      {kTheme, "ALateFinishOfARemovedJobIsRefused", a_late_finish_of_a_removed_job},
  };
}

}  // namespace gaur::conformance
