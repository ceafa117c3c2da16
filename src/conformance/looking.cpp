// Looking: get, state, position, counts, ranges with paging, queues.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

void what_is_not_there(CaseContext& b) {
  const JobRef nothing = b.ref(JobId("not-here"));
  EXPECT_EQ(b.error(b.store().get(nothing)), Errc::kNotFound);
  EXPECT_EQ(b.error(b.store().state(nothing)), Errc::kNotFound);
  EXPECT_EQ(b.error(b.store().position(nothing)), Errc::kNotFound);
  EXPECT_EQ(b.error(b.store().logs(nothing, 0, 10)), Errc::kNotFound);
  EXPECT_EQ(b.counts(), Counts{});
  EXPECT_THAT(b.ids(State::kWaiting), IsEmpty());
}

void position_counts_who_comes_before(CaseContext& b) {
  const JobId plain = b.add();
  const JobId low = b.add("p", {.priority = 9});
  const JobId high = b.add("p", {.priority = 1});
  const JobId front = b.add("l", {.lifo = true});
  const auto before = [&](const JobId& id) { return b.must(b.store().position(b.ref(id))).before; };
  const std::uint64_t waiting_first =
      b.semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll ? 0 : 2;
  if (b.semantics.front == Semantics::Front::kOfAll) {
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
  const JobId last = b.add("p", {.priority = 20});
  EXPECT_EQ(before(last), 4 - waiting_first);
}

void position_only_of_what_is_ready(CaseContext& b) {
  const JobId delayed = b.add("d", {.delay = Duration(1000)});
  const JobId active = b.add();
  (void)b.take_one();
  EXPECT_EQ(b.error(b.store().position(b.ref(delayed))), Errc::kNotInState);
  EXPECT_EQ(b.error(b.store().position(b.ref(active))), Errc::kNotInState);
}

void counts_of_every_state(CaseContext& b) {
  (void)b.finished(outcome::Completed{});
  (void)b.finished(outcome::Failed{});
  (void)b.add();
  (void)b.take_one();
  (void)b.add();
  (void)b.add("p", {.priority = 1});
  (void)b.add("d", {.delay = Duration(1000)});
  const Counts counts = b.counts();
  for (const State state : {State::kWaiting, State::kPrioritized, State::kDelayed, State::kActive,
                            State::kCompleted, State::kFailed}) {
    EXPECT_EQ(counts[state], 1U) << to_string(state);
  }
}

void ranges_page(CaseContext& b) {
  std::vector<JobId> all;
  for (const Added& added : b.add_all(std::vector<NewJob>(25, NewJob{.name = "n"}))) all.push_back(added.id);
  std::vector<JobId> seen;
  for (std::uint64_t offset = 0; offset < 30; offset += 10) {
    for (const Job& job : b.must(b.store().range({.queue = b.queue, .offset = offset, .limit = 10})))
      seen.push_back(job.id);
  }
  EXPECT_EQ(seen, all);
  std::vector<JobId> reversed(all.rbegin(), all.rend());
  EXPECT_EQ(b.ids(State::kWaiting, true), reversed);
  EXPECT_THAT(b.must(b.store().range({.queue = b.queue, .offset = 24, .limit = 10, .newest_first = true})),
              testing::SizeIs(1));
  EXPECT_THAT(b.must(b.store().range({.queue = b.queue, .offset = 25, .limit = 10})), IsEmpty());
}

void finished_jobs_stand_in_order_of_finishing(CaseContext& b) {
  const JobId one = b.add();
  const JobId two = b.add();
  const auto taken = b.take(2);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_TRUE(b.finish(taken[1], outcome::Completed{}));
  b.advance(Duration(1));  // in Bull those of one millisecond stand in the order of their ids
  EXPECT_TRUE(b.finish(taken[0], outcome::Completed{}));
  EXPECT_THAT(b.ids(State::kCompleted), ElementsAre(two, one));
  EXPECT_THAT(b.ids(State::kCompleted, true), ElementsAre(one, two));
}

void a_range_holds_whole_jobs(CaseContext& b) {
  const JobId id = b.add("whole", {.attempts = 2}, R"({"a":1})");
  const auto page = b.must(b.store().range({.queue = b.queue}));
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0], b.job(id));
}

void queues_are_found(CaseContext& b) {
  (void)b.add();
  (void)b.must(b.store().add({.queue = QueueName("other"), .jobs = {{.name = "a"}}}));
  EXPECT_THAT(b.must(b.store().queues()), UnorderedElementsAre(b.queue, QueueName("other")));
}

}  // namespace

std::vector<Case> looking_cases() {
  constexpr const char* kTheme = "Looking";
  return {
      {kTheme, "ForWhatIsNotThere", what_is_not_there},
      {kTheme, "PositionCountsWhoComesBefore", position_counts_who_comes_before},
      {kTheme, "PositionOnlyOfWhatIsReady", position_only_of_what_is_ready},
      {kTheme, "CountsOfEveryState", counts_of_every_state},
      {kTheme, "RangesPage", ranges_page},
      {kTheme, "FinishedJobsStandInOrderOfFinishing", finished_jobs_stand_in_order_of_finishing},
      {kTheme, "ARangeHoldsWholeJobs", a_range_holds_whole_jobs},
      {kTheme, "QueuesAreFound", queues_are_found},
  };
}

}  // namespace gaur::conformance
