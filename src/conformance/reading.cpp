// Reading: get, state, position, counts, ranges with paging, queues.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

void returns_not_found(CaseContext& t) {
  const JobRef nothing = t.ref(JobId("not-here"));
  EXPECT_EQ(t.error(t.store().get(nothing)), Errc::kNotFound);
  EXPECT_EQ(t.error(t.store().state(nothing)), Errc::kNotFound);
  EXPECT_EQ(t.error(t.store().position(nothing)), Errc::kNotFound);
  EXPECT_EQ(t.error(t.store().logs(nothing, 0, 10)), Errc::kNotFound);
  EXPECT_EQ(t.counts(), Counts{});
  EXPECT_THAT(t.ids(State::kWaiting), IsEmpty());
}

void position_counts_jobs_before(CaseContext& t) {
  const JobId plain = t.add();
  const JobId low = t.add("p", {.priority = 9});
  const JobId high = t.add("p", {.priority = 1});
  const JobId front = t.add("l", {.lifo = true});
  const auto before = [&](const JobId& id) { return t.must(t.store().position(t.ref(id))).before; };
  const std::uint64_t waiting_first =
      t.semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll ? 0 : 2;
  if (t.semantics.front == Semantics::Front::kOfAll) {
    EXPECT_EQ(before(front), 0U);
    EXPECT_EQ(before(high), 1U);
    EXPECT_EQ(before(low), 2U);
    EXPECT_EQ(before(plain), 3U);
    return;
  }
  EXPECT_EQ(before(front), waiting_first);
  EXPECT_EQ(before(plain), waiting_first + 1);
  EXPECT_EQ(before(high), 2 - waiting_first);
  EXPECT_EQ(before(low), 3 - waiting_first);
  const JobId last = t.add("p", {.priority = 20});
  EXPECT_EQ(before(last), 4 - waiting_first);
}

void position_requires_ready_job(CaseContext& t) {
  const JobId delayed = t.add("d", {.delay = Duration(1000)});
  const JobId active = t.add();
  (void)t.take_one();
  EXPECT_EQ(t.error(t.store().position(t.ref(delayed))), Errc::kNotInState);
  EXPECT_EQ(t.error(t.store().position(t.ref(active))), Errc::kNotInState);
}

void counts_every_state(CaseContext& t) {
  (void)t.finished(outcome::Completed{});
  (void)t.finished(outcome::Failed{});
  (void)t.add();
  (void)t.take_one();
  (void)t.add();
  (void)t.add("p", {.priority = 1});
  (void)t.add("d", {.delay = Duration(1000)});
  const Counts counts = t.counts();
  for (const State state : {State::kWaiting, State::kPrioritized, State::kDelayed, State::kActive,
                            State::kCompleted, State::kFailed}) {
    EXPECT_EQ(counts[state], 1U) << to_string(state);
  }
}

void pages_ranges(CaseContext& t) {
  std::vector<JobId> all;
  for (const Added& added : t.add_all(std::vector<NewJob>(25, NewJob{.name = "n"}))) all.push_back(added.id);
  std::vector<JobId> seen;
  for (std::uint64_t offset = 0; offset < 30; offset += 10) {
    for (const Job& job : t.must(t.store().range({.queue = t.queue, .offset = offset, .limit = 10})))
      seen.push_back(job.id);
  }
  EXPECT_EQ(seen, all);
  std::vector<JobId> reversed(all.rbegin(), all.rend());
  EXPECT_EQ(t.ids(State::kWaiting, true), reversed);
  EXPECT_THAT(t.must(t.store().range({.queue = t.queue, .offset = 24, .limit = 10, .newest_first = true})),
              testing::SizeIs(1));
  EXPECT_THAT(t.must(t.store().range({.queue = t.queue, .offset = 25, .limit = 10})), IsEmpty());
}

void orders_finished_jobs_by_finishing(CaseContext& t) {
  const JobId one = t.add();
  const JobId two = t.add();
  const auto taken = t.take(2);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_TRUE(t.finish(taken[1], outcome::Completed{}));
  t.advance(Duration(1));  // Bull orders ties within 1 ms by job id
  EXPECT_TRUE(t.finish(taken[0], outcome::Completed{}));
  EXPECT_THAT(t.ids(State::kCompleted), ElementsAre(two, one));
  EXPECT_THAT(t.ids(State::kCompleted, true), ElementsAre(one, two));
}

void range_returns_whole_jobs(CaseContext& t) {
  const JobId id = t.add("whole", {.attempts = 2}, R"({"a":1})");
  const auto page = t.must(t.store().range({.queue = t.queue}));
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0], t.job(id));
}

void lists_queues(CaseContext& t) {
  (void)t.add();
  (void)t.must(t.store().add({.queue = QueueName("other"), .jobs = {{.name = "a"}}}));
  EXPECT_THAT(t.must(t.store().queues()), UnorderedElementsAre(t.queue, QueueName("other")));
}

}  // namespace

std::vector<Case> reading_cases() {
  constexpr const char* kTheme = "Reading";
  return {
      {kTheme, "ReturnsNotFound", returns_not_found},
      {kTheme, "PositionCountsJobsBefore", position_counts_jobs_before},
      {kTheme, "PositionRequiresReadyJob", position_requires_ready_job},
      {kTheme, "CountsEveryState", counts_every_state},
      {kTheme, "PagesRanges", pages_ranges},
      {kTheme, "OrdersFinishedJobsByFinishing", orders_finished_jobs_by_finishing},
      {kTheme, "RangeReturnsWholeJobs", range_returns_whole_jobs},
      {kTheme, "ListsQueues", lists_queues},
  };
}

}  // namespace gaur::conformance
