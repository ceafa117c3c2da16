// Reopening after a crash: acknowledged changes are kept, active jobs are requeued.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;

void keeps_every_state(CaseContext& t) {
  const JobId done = t.finished(outcome::Completed{"42"}, {.count = 5});
  const JobId broken = t.finished(outcome::Failed{{.message = "m", .stack = "s"}, true});
  const JobId waiting = t.add("w", {}, R"({"n":1})");
  const JobId prioritized = t.add("p", {.priority = 3});
  const JobId delayed = t.add("d", {.delay = Duration(1000)});
  std::vector<Job> before;
  for (const JobId& id : {done, broken, waiting, prioritized, delayed}) before.push_back(t.job(id));
  const Counts counts = t.counts();
  t.fixture.crash_and_reopen();
  for (const Job& job : before) EXPECT_EQ(t.job(job.id), job);
  EXPECT_EQ(t.counts(), counts);
}

void keeps_order(CaseContext& t) {
  std::vector<JobId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(t.add());
  const JobId front = t.add("l", {.lifo = true});
  ids.insert(ids.begin(), front);
  t.fixture.crash_and_reopen();
  EXPECT_EQ(t.ids(State::kWaiting), ids);
  ids.push_back(t.add());
  EXPECT_EQ(t.ids(State::kWaiting), ids);
}

void requeues_active_jobs_uncounted(CaseContext& t) {
  const auto added = t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = t.take(2);
  ASSERT_EQ(taken.size(), 2U);
  t.fixture.crash_and_reopen();
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(added[0].id, added[1].id, added[2].id));
  const Job job = t.job(added[0].id);
  EXPECT_EQ(job.attempts_made, 0U);
  EXPECT_EQ(job.attempts_started, 1U);
  EXPECT_EQ(job.stalled, 0U);
  const auto late = t.finish(taken[0], outcome::Completed{});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kLockMissing);
  const Taken again = t.take_one();
  EXPECT_EQ(again.job.id, added[0].id);
  EXPECT_NE(again.token, taken[0].token);
  EXPECT_EQ(again.job.attempts_started, 2U);
}

void reopening_fails_no_running_job(CaseContext& t) {
  const JobId id = t.add();
  for (std::uint32_t start = 1; start <= 30; ++start) {
    const Taken taken = t.take_one();
    ASSERT_EQ(taken.job.id, id);
    EXPECT_EQ(taken.job.attempts_started, start);
    t.fixture.crash_and_reopen();
  }
  ASSERT_TRUE(t.finish(t.take_one(), outcome::Completed{"42"}));
  const Job job = t.job(id);
  EXPECT_EQ(job.state, State::kCompleted);
  EXPECT_EQ(job.stalled, 0U);
  EXPECT_EQ(job.attempts_made, 1U);
}

void repeated_reopening_keeps_jobs(CaseContext& t) {
  const JobId id = t.add();
  for (int i = 0; i < 3; ++i) t.fixture.crash_and_reopen();
  EXPECT_EQ(t.take_one().job.id, id);
}

}  // namespace

std::vector<Case> reopening_cases() {
  constexpr const char* kTheme = "Reopening";
  return {
      {kTheme, "KeepsEveryState", keeps_every_state},
      {kTheme, "KeepsOrder", keeps_order},
      {kTheme, "RequeuesActiveJobsUncounted", requeues_active_jobs_uncounted},
      {kTheme, "FailsNoRunningJob", reopening_fails_no_running_job},
      {kTheme, "RepeatedReopeningKeepsJobs", repeated_reopening_keeps_jobs},
  };
}

}  // namespace gaur::conformance
