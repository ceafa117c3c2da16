// Delayed jobs: waking, promoting, changing the delay.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void not_before_its_time(CaseContext& b) {
  const JobId id = b.add("d", {.delay = Duration(1000)});
  b.advance(Duration(999));
  const QueueHint early = b.must(b.store().wake_delayed(b.queue));
  EXPECT_EQ(early.due, b.rig.clock().wall() + Duration(1));
  EXPECT_THAT(b.take_ids(1), IsEmpty());
  b.advance(Duration(1));
  EXPECT_FALSE(b.must(b.store().wake_delayed(b.queue)).due);
  EXPECT_EQ(b.job(id).delay, Duration(0));
  EXPECT_FALSE(b.job(id).due);
  EXPECT_THAT(b.take_ids(1), ElementsAre(id));
}

void in_order_of_due_time(CaseContext& b) {
  const JobId late = b.add("d", {.delay = Duration(300)});
  const JobId soon = b.add("d", {.delay = Duration(100)});
  const JobId soon_too = b.add("d", {.delay = Duration(100)});
  EXPECT_THAT(b.ids(State::kDelayed), ElementsAre(soon, soon_too, late));
  b.advance(Duration(500));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_THAT(b.take_ids(9), ElementsAre(soon, soon_too, late));
}

void wakes_behind_the_others(CaseContext& b) {
  const JobId woken = b.add("d", {.delay = Duration(100), .lifo = true});
  const JobId waiting = b.add();
  b.advance(Duration(200));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(waiting, woken));
}

void wakes_into_its_priority(CaseContext& b) {
  const JobId id = b.add("d", {.delay = Duration(100), .priority = 6});
  b.advance(Duration(100));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_EQ(b.state(id), State::kPrioritized);
}

void promote_does_not_wait(CaseContext& b) {
  const JobId id = b.add("d", {.delay = Duration(60'000)});
  const JobId prioritized = b.add("d", {.delay = Duration(60'000), .priority = 2});
  (void)b.must(b.store().promote(b.ref(id)));
  (void)b.must(b.store().promote(b.ref(prioritized)));
  EXPECT_EQ(b.state(id), State::kWaiting);
  EXPECT_EQ(b.state(prioritized), State::kPrioritized);
  EXPECT_EQ(b.counts()[State::kDelayed], 0U);
  b.advance(Duration(60'000));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_THAT(b.take_ids(9), testing::UnorderedElementsAre(id, prioritized)) << "promoted once, woken never";
}

void promote_of_what_is_not_delayed(CaseContext& b) {
  const JobId id = b.add();
  EXPECT_EQ(b.error(b.store().promote(b.ref(id))), Errc::kNotInState);
  EXPECT_EQ(b.error(b.store().promote(b.ref(JobId("not-here")))), Errc::kNotFound);
}

void change_the_delay(CaseContext& b) {
  const JobId id = b.add("d", {.delay = Duration(60'000)});
  (void)b.must(b.store().change_delay(b.ref(id), Duration(100)));
  EXPECT_EQ(b.job(id).due, b.rig.clock().wall() + Duration(100));
  b.advance(Duration(100));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_EQ(b.state(id), State::kWaiting);
  EXPECT_EQ(b.error(b.store().change_delay(b.ref(id), Duration(5))), Errc::kNotInState);
}

void change_the_priority(CaseContext& b) {
  const JobId one = b.add("p", {.priority = 5});
  const JobId two = b.add("p", {.priority = 4});
  (void)b.must(b.store().change_priority(b.ref(one), 1, false));
  EXPECT_THAT(b.ids(State::kPrioritized), ElementsAre(one, two));
  (void)b.must(b.store().change_priority(b.ref(two), 0, false));
  EXPECT_EQ(b.state(two), State::kWaiting);
}

void many_at_once(CaseContext& b) {
  std::vector<NewJob> jobs(300, NewJob{.name = "d", .options = {.delay = Duration(10)}});
  (void)b.add_all(jobs);
  b.advance(Duration(10));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_EQ(b.counts()[State::kWaiting], 300U);
  EXPECT_EQ(b.counts()[State::kDelayed], 0U);
}

}  // namespace

std::vector<Case> delayed_cases() {
  constexpr const char* kTheme = "Delayed";
  return {
      {kTheme, "IsNotRunBeforeItsTime", not_before_its_time},
      {kTheme, "WakesInOrderOfDueTime", in_order_of_due_time},
      {kTheme, "WakesBehindTheOthers", wakes_behind_the_others},
      {kTheme, "WakesIntoItsPriority", wakes_into_its_priority},
      {kTheme, "PromotedIsReadyAtOnceAndOnce", promote_does_not_wait},
      {kTheme, "PromoteOfWhatIsNotDelayedIsRefused", promote_of_what_is_not_delayed},
      {kTheme, "ChangesItsDelay", change_the_delay, {Capability::kChangeDelay}},
      {kTheme, "ChangesItsPriority", change_the_priority, {Capability::kChangePriority}},
      {kTheme, "WakesManyAtOnce", many_at_once},
  };
}

}  // namespace gaur::conformance
