// Delayed jobs: waking, promoting, changing the delay.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void starts_not_before_due_time(CaseContext& t) {
  const JobId id = t.add("d", {.delay = Duration(1000)});
  t.advance(Duration(999));
  const QueueHint early = t.must(t.store().wake_delayed(t.queue));
  EXPECT_EQ(early.due, t.fixture.clock().wall() + Duration(1));
  EXPECT_THAT(t.take_ids(1), IsEmpty());
  t.advance(Duration(1));
  EXPECT_FALSE(t.must(t.store().wake_delayed(t.queue)).due);
  EXPECT_EQ(t.job(id).delay, Duration(0));
  EXPECT_FALSE(t.job(id).due);
  EXPECT_THAT(t.take_ids(1), ElementsAre(id));
}

void wakes_in_order_of_due_time(CaseContext& t) {
  const JobId late = t.add("d", {.delay = Duration(300)});
  const JobId soon = t.add("d", {.delay = Duration(100)});
  const JobId soon_too = t.add("d", {.delay = Duration(100)});
  EXPECT_THAT(t.ids(State::kDelayed), ElementsAre(soon, soon_too, late));
  t.advance(Duration(500));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_THAT(t.take_ids(9), ElementsAre(soon, soon_too, late));
}

void wakes_to_the_back(CaseContext& t) {
  const JobId woken = t.add("d", {.delay = Duration(100), .lifo = true});
  const JobId waiting = t.add();
  t.advance(Duration(200));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(waiting, woken));
}

void wakes_into_its_priority(CaseContext& t) {
  const JobId id = t.add("d", {.delay = Duration(100), .priority = 6});
  t.advance(Duration(100));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_EQ(t.state(id), State::kPrioritized);
}

void promotes_once(CaseContext& t) {
  const JobId id = t.add("d", {.delay = Duration(60'000)});
  const JobId prioritized = t.add("d", {.delay = Duration(60'000), .priority = 2});
  (void)t.must(t.store().promote(t.ref(id)));
  (void)t.must(t.store().promote(t.ref(prioritized)));
  EXPECT_EQ(t.state(id), State::kWaiting);
  EXPECT_EQ(t.state(prioritized), State::kPrioritized);
  EXPECT_EQ(t.counts()[State::kDelayed], 0U);
  t.advance(Duration(60'000));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_THAT(t.take_ids(9), testing::UnorderedElementsAre(id, prioritized))
      << "a promoted job is not woken as well";
}

void rejects_promote_unless_delayed(CaseContext& t) {
  const JobId id = t.add();
  EXPECT_EQ(t.error(t.store().promote(t.ref(id))), Errc::kNotInState);
  EXPECT_EQ(t.error(t.store().promote(t.ref(JobId("not-here")))), Errc::kNotFound);
}

void changes_delay(CaseContext& t) {
  const JobId id = t.add("d", {.delay = Duration(60'000)});
  (void)t.must(t.store().change_delay(t.ref(id), Duration(100)));
  EXPECT_EQ(t.job(id).due, t.fixture.clock().wall() + Duration(100));
  t.advance(Duration(100));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_EQ(t.state(id), State::kWaiting);
  EXPECT_EQ(t.error(t.store().change_delay(t.ref(id), Duration(5))), Errc::kNotInState);
}

void changes_priority(CaseContext& t) {
  const JobId one = t.add("p", {.priority = 5});
  const JobId two = t.add("p", {.priority = 4});
  (void)t.must(t.store().change_priority(t.ref(one), 1, false));
  EXPECT_THAT(t.ids(State::kPrioritized), ElementsAre(one, two));
  (void)t.must(t.store().change_priority(t.ref(two), 0, false));
  EXPECT_EQ(t.state(two), State::kWaiting);
}

void wakes_many_at_once(CaseContext& t) {
  std::vector<NewJob> jobs(300, NewJob{.name = "d", .options = {.delay = Duration(10)}});
  (void)t.add_all(jobs);
  t.advance(Duration(10));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_EQ(t.counts()[State::kWaiting], 300U);
  EXPECT_EQ(t.counts()[State::kDelayed], 0U);
}

}  // namespace

std::vector<Case> delayed_cases() {
  constexpr const char* kTheme = "Delayed";
  return {
      {kTheme, "StartsNotBeforeDueTime", starts_not_before_due_time},
      {kTheme, "WakesInOrderOfDueTime", wakes_in_order_of_due_time},
      {kTheme, "WakesToTheBack", wakes_to_the_back},
      {kTheme, "WakesIntoItsPriority", wakes_into_its_priority},
      {kTheme, "PromotesOnce", promotes_once},
      {kTheme, "RejectsPromoteUnlessDelayed", rejects_promote_unless_delayed},
      {kTheme, "ChangesDelay", changes_delay, {Capability::kChangeDelay}},
      {kTheme, "ChangesPriority", changes_priority, {Capability::kChangePriority}},
      {kTheme, "WakesManyAtOnce", wakes_many_at_once},
  };
}

}  // namespace gaur::conformance
