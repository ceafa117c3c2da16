// A store that died and was opened again: what was acknowledged is there, what ran is given back.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;

void every_state_survives(CaseContext& b) {
  const JobId done = b.finished(outcome::Completed{"42"}, {.count = 5});
  const JobId broken = b.finished(outcome::Failed{{.message = "m", .stack = "s"}, true});
  const JobId waiting = b.add("w", {}, R"({"n":1})");
  const JobId prioritized = b.add("p", {.priority = 3});
  const JobId delayed = b.add("d", {.delay = Duration(1000)});
  std::vector<Job> before;
  for (const JobId& id : {done, broken, waiting, prioritized, delayed}) before.push_back(b.job(id));
  const Counts counts = b.counts();
  b.rig.crash_and_reopen();
  for (const Job& job : before) EXPECT_EQ(b.job(job.id), job);
  EXPECT_EQ(b.counts(), counts);
}

void the_order_survives(CaseContext& b) {
  std::vector<JobId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(b.add());
  const JobId front = b.add("l", {.lifo = true});
  ids.insert(ids.begin(), front);
  b.rig.crash_and_reopen();
  EXPECT_EQ(b.ids(State::kWaiting), ids);
  ids.push_back(b.add());
  EXPECT_EQ(b.ids(State::kWaiting), ids);
}

void what_ran_is_given_back_uncounted(CaseContext& b) {
  const auto added = b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = b.take(2);
  ASSERT_EQ(taken.size(), 2U);
  b.rig.crash_and_reopen();
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(added[0].id, added[1].id, added[2].id));
  const Job job = b.job(added[0].id);
  EXPECT_EQ(job.attempts_made, 0U);
  EXPECT_EQ(job.attempts_started, 1U);
  EXPECT_EQ(job.stalled, 0U);
  const auto late = b.finish(taken[0], outcome::Completed{});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kLockMissing);
  const Taken again = b.take_one();
  EXPECT_EQ(again.job.id, added[0].id);
  EXPECT_NE(again.token, taken[0].token);
  EXPECT_EQ(again.job.attempts_started, 2U);
}

void several_times(CaseContext& b) {
  const JobId id = b.add();
  for (int i = 0; i < 3; ++i) b.rig.crash_and_reopen();
  EXPECT_EQ(b.take_one().job.id, id);
}

}  // namespace

std::vector<Case> reopening_cases() {
  constexpr const char* kTheme = "Reopening";
  return {
      {kTheme, "KeepsEveryState", every_state_survives},
      {kTheme, "KeepsTheOrder", the_order_survives},
      {kTheme, "GivesBackWhatRanUncounted", what_ran_is_given_back_uncounted},
      {kTheme, "SeveralTimes", several_times},
  };
}

}  // namespace gaur::conformance
