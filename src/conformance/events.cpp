// The event log: one event a transition, in order, since a cursor.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::IsEmpty;

EventPage page(CaseContext& b, std::string cursor, std::uint32_t limit = 1000,
               Duration at_most = Duration(0)) {
  return b.must(b.store().events(b.queue, std::move(cursor), limit, at_most));
}

void the_life_of_a_job(CaseContext& b) {
  const JobId id = b.add("top", {.attempts = 3});
  EXPECT_TRUE(
      b.finish(b.take_one(), outcome::RetryAfter{.delay = Duration(100), .failure = {.message = "once"}}));
  b.advance(Duration(100));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_TRUE(b.finish(b.take_one(), outcome::RetryAfter{.failure = {.message = "twice"}}));
  EXPECT_TRUE(b.finish(b.take_one(), outcome::Completed{"42"}));
  EXPECT_EQ(b.story(id), "added waiting active delayed waiting active waiting active completed");
}

void failing_for_good(CaseContext& b) {
  const JobId id = b.finished(outcome::Failed{{.message = "no such table"}, true});
  EXPECT_EQ(b.story(id), "added waiting active failed retries-exhausted");
  const JobId other = b.finished(outcome::Failed{{.message = "unrecoverable"}, false});
  EXPECT_EQ(b.story(other), "added waiting active failed");
}

void stalled_and_back(CaseContext& b) {
  const JobId id = b.finished(outcome::Stalled{.max_stalled = 1});
  EXPECT_EQ(b.story(id), "added waiting active stalled waiting");
}

void details_are_told(CaseContext& b) {
  const JobId id = b.add("top");
  b.advance(Duration(5));
  const Taken taken = b.take_one();
  (void)b.must(b.store().update_progress(b.ref(id), taken.token, "50"));
  EXPECT_TRUE(b.finish(taken, outcome::Completed{R"({"rows":1})"}));
  const auto events = b.events();
  ASSERT_GE(events.size(), 5U);
  EXPECT_EQ(events[0].kind, EventKind::kAdded);
  EXPECT_EQ(events[0].detail, "top");
  EXPECT_EQ(events[1].kind, EventKind::kWaiting);
  EXPECT_FALSE(events[1].previous);
  EXPECT_EQ(events[2].kind, EventKind::kActive);
  EXPECT_EQ(events[2].previous, State::kWaiting);
  EXPECT_EQ(events[2].at, b.rig.clock().wall());
  EXPECT_EQ(events[3].kind, EventKind::kProgress);
  EXPECT_EQ(events[3].detail, "50");
  EXPECT_EQ(events[4].kind, EventKind::kCompleted);
  EXPECT_EQ(events[4].detail, R"({"rows":1})");
  EXPECT_EQ(events[4].previous, State::kActive);
}

void a_delayed_event_tells_when(CaseContext& b) {
  (void)b.add("d", {.delay = Duration(700)});
  const auto events = b.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].kind, EventKind::kDelayed);
  EXPECT_EQ(events[1].detail, std::to_string(to_ms(b.rig.clock().wall() + Duration(700))));
}

void duplicates_and_removals(CaseContext& b) {
  const JobId id = b.add("a", {.id = JobId("mine")});
  (void)b.add("a", {.id = JobId("mine")});
  (void)b.must(b.store().remove(b.ref(id)));
  EXPECT_EQ(b.story(id), "added waiting duplicated removed");
}

void since_a_cursor(CaseContext& b) {
  (void)b.add_all(std::vector<NewJob>(5, NewJob{.name = "n"}));
  std::string cursor;
  std::vector<std::string> seen;
  for (int pages = 0; pages < 4; ++pages) {
    const EventPage next = page(b, cursor, 3);
    for (const Event& event : next.events) seen.push_back(event.cursor);
    cursor = next.cursor;
  }
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 10U);
  EXPECT_THAT(page(b, cursor).events, IsEmpty());
  const JobId id = b.add();
  const auto events = page(b, cursor).events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, id);
}

void an_events_own_cursor_serves_too(CaseContext& b) {
  (void)b.add_all({{.name = "a"}, {.name = "b"}});
  const auto all = page(b, "").events;
  ASSERT_EQ(all.size(), 4U);
  const auto rest = page(b, all[1].cursor).events;
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].cursor, all[2].cursor);
}

/// A store that hears events only live listens from the first answered question on.
void begin_to_listen(CaseContext& b) {
  if (!b.can(Capability::kEventLog)) (void)page(b, "$");
}

void only_what_comes(CaseContext& b) {
  (void)b.add();
  begin_to_listen(b);
  auto reply = b.later(b.store().events(b.queue, "$", 10, Duration(3'600'000)));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_FALSE(reply.ready());
  const JobId id = b.add();
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  ASSERT_FALSE(answer->events.empty());
  EXPECT_EQ(answer->events[0].id, id);
}

void a_wait_for_events_ends_at_its_time(CaseContext& b) {
  begin_to_listen(b);
  auto reply = b.later(b.store().events(b.queue, "$", 10, Duration(500)));
  (void)b.must(b.store().wake_delayed(b.queue));
  b.advance(Duration(501));
  const auto answer = reply.get();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->events, IsEmpty());
}

void cursors_survive_reopening(CaseContext& b) {
  (void)b.add();
  const std::string cursor = page(b, "").cursor;
  b.rig.crash_and_reopen();
  const JobId id = b.add();
  const auto events = page(b, cursor).events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, id);
}

void a_gap_is_told(CaseContext& b) {
  (void)b.add("first");
  const std::string cursor = page(b, "").cursor;
  for (int batch = 0; batch < 6; ++batch) (void)b.add_all(std::vector<NewJob>(1000, NewJob{.name = "n"}));
  const EventPage late = page(b, cursor, 10);
  EXPECT_TRUE(late.gap);
  EXPECT_EQ(late.events.size(), 10U);
  EXPECT_FALSE(page(b, late.cursor, 10).gap);
}

void queue_events(CaseContext& b) {
  (void)b.must(b.store().pause(b.queue));
  (void)b.must(b.store().resume(b.queue));
  (void)b.finished(outcome::Completed{});
  (void)b.must(b.store().clean(b.queue, State::kCompleted, Duration(0), 0));
  std::string story;
  for (const Event& event : b.events()) {
    if (event.id.empty()) story += std::string(to_string(event.kind)) + " ";
  }
  EXPECT_EQ(story, "paused resumed drained cleaned ");
}

void cancel_requests(CaseContext& b) {
  const JobId waiting = b.add("w", {.delay = Duration(1000)});
  const JobId active = b.add();
  (void)b.take_one();
  (void)b.must(b.store().cancel(b.ref(active), "kim", "why"));
  (void)b.must(b.store().cancel(b.ref(waiting), "kim", "why"));
  EXPECT_EQ(b.story(active), "added waiting active cancel-requested");
  EXPECT_EQ(b.story(waiting), "added delayed failed");
}

}  // namespace

std::vector<Case> event_cases() {
  constexpr const char* kTheme = "Events";
  const std::vector<Capability> kept{Capability::kEventLog};
  return {
      {kTheme, "TellTheLifeOfAJob", the_life_of_a_job, kept},
      {kTheme, "OfFailingForGood", failing_for_good, kept},
      {kTheme, "OfAStall", stalled_and_back, kept},
      {kTheme, "CarryTheirDetails", details_are_told, kept},
      {kTheme, "OfDelayedJobsTellWhen", a_delayed_event_tells_when, kept},
      {kTheme, "OfDuplicatesAndRemovals", duplicates_and_removals, kept},
      {kTheme, "ArePagedSinceACursor", since_a_cursor, kept},
      {kTheme, "HaveCursorsOfTheirOwn", an_events_own_cursor_serves_too, kept},
      {kTheme, "FromNowOnAreWaitedFor", only_what_comes},
      {kTheme, "AreWaitedForNoLongerThanTold", a_wait_for_events_ends_at_its_time},
      {kTheme, "KeepTheirCursorsOverReopening", cursors_survive_reopening, kept},
      {kTheme, "TellOfAGap", a_gap_is_told, kept},
      {kTheme, "OfTheQueue", queue_events, kept},
      {kTheme, "OfCancels", cancel_requests, kept},
  };
}

}  // namespace gaur::conformance
