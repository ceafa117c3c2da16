// The event log: one event for each transition, in order, read from a cursor.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"
#include "core/result_json.hpp"

namespace gaur::conformance {

namespace {

using testing::IsEmpty;

EventPage page(CaseContext& t, std::string cursor, std::uint32_t limit = 1000,
               Duration at_most = Duration(0)) {
  return t.must(t.store().events(t.queue, std::move(cursor), limit, at_most));
}

void record_every_transition(CaseContext& t) {
  const JobId id = t.add("top", {.attempts = 3});
  EXPECT_TRUE(
      t.finish(t.take_one(), outcome::RetryAfter{.delay = Duration(100), .failure = {.message = "once"}}));
  t.advance(Duration(100));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_TRUE(t.finish(t.take_one(), outcome::RetryAfter{.failure = {.message = "twice"}}));
  EXPECT_TRUE(t.finish(t.take_one(), outcome::Completed{"42"}));
  EXPECT_EQ(t.event_kinds(id), "added waiting active delayed waiting active waiting active completed");
}

void record_failures(CaseContext& t) {
  const JobId id = t.finished(outcome::Failed{{.message = "no such table"}, true});
  EXPECT_EQ(t.event_kinds(id), "added waiting active failed retries-exhausted");
  const JobId other = t.finished(outcome::Failed{{.message = "unrecoverable"}, false});
  EXPECT_EQ(t.event_kinds(other), "added waiting active failed");
}

void record_stall(CaseContext& t) {
  const JobId id = t.finished(outcome::Stalled{.max_stalled = 1});
  EXPECT_EQ(t.event_kinds(id), "added waiting active stalled waiting");
}

void contain_details(CaseContext& t) {
  const JobId id = t.add("top");
  t.advance(Duration(5));
  const Taken taken = t.take_one();
  (void)t.must(t.store().update_progress(t.ref(id), taken.token, "50"));
  EXPECT_TRUE(t.finish(taken, outcome::Completed{R"({"rows":1})"}));
  const auto events = t.events();
  ASSERT_GE(events.size(), 5U);
  EXPECT_EQ(events[0].kind, EventKind::kAdded);
  EXPECT_EQ(events[0].detail, "top");
  EXPECT_EQ(events[1].kind, EventKind::kWaiting);
  EXPECT_FALSE(events[1].previous);
  EXPECT_EQ(events[2].kind, EventKind::kActive);
  EXPECT_EQ(events[2].previous, State::kWaiting);
  EXPECT_EQ(events[2].at, t.fixture.clock().wall());
  EXPECT_EQ(events[3].kind, EventKind::kProgress);
  EXPECT_EQ(events[3].detail, "50");
  EXPECT_EQ(events[4].kind, EventKind::kCompleted);
  EXPECT_EQ(events[4].detail, R"({"rows":1})");
  EXPECT_EQ(events[4].previous, State::kActive);
}

void detail_contains_result_file(CaseContext& t) {
  const JobId id = t.add();
  ASSERT_TRUE(t.finish(t.take_one(), outcome::Completed{R"({"n":1})", CaseContext::result_file()}));
  const auto events = t.events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, EventKind::kDrained);
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[events.size() - 2].detail, result_json(t.job(id)));
}

void delayed_event_contains_due_time(CaseContext& t) {
  (void)t.add("d", {.delay = Duration(700)});
  const auto events = t.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].kind, EventKind::kDelayed);
  EXPECT_EQ(events[1].detail, std::to_string(to_ms(t.fixture.clock().wall() + Duration(700))));
}

void record_duplicates_and_removals(CaseContext& t) {
  const JobId id = t.add("a", {.id = JobId("mine")});
  (void)t.add("a", {.id = JobId("mine")});
  (void)t.must(t.store().remove(t.ref(id)));
  EXPECT_EQ(t.event_kinds(id), "added waiting duplicated removed");
}

void are_paged_by_cursor(CaseContext& t) {
  (void)t.add_all(std::vector<NewJob>(5, NewJob{.name = "n"}));
  std::string cursor;
  std::vector<std::string> seen;
  for (int pages = 0; pages < 4; ++pages) {
    const EventPage next = page(t, cursor, 3);
    for (const Event& event : next.events) seen.push_back(event.cursor);
    cursor = next.cursor;
  }
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 10U);
  EXPECT_THAT(page(t, cursor).events, IsEmpty());
  const JobId id = t.add();
  const auto events = page(t, cursor).events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, id);
}

void pages_end_at_their_byte_limit(CaseContext& t) {
  const std::string result = "\"" + std::string(1'000'000, 'x') + "\"";
  for (int i = 0; i < 9; ++i) (void)t.finished(outcome::Completed{result});
  std::size_t results = 0;
  for (std::string cursor; true;) {
    const EventPage next = page(t, cursor);
    if (next.events.empty()) break;
    std::size_t bytes = 0;
    for (const Event& event : next.events) {
      bytes += page_bytes_of(event);
      results += event.kind == EventKind::kCompleted ? 1 : 0;
    }
    EXPECT_LE(bytes, kEventPageBytes);
    EXPECT_FALSE(next.gap);
    cursor = next.cursor;
  }
  EXPECT_EQ(results, 9U);
}

void cursor_of_an_event_is_valid(CaseContext& t) {
  (void)t.add_all({{.name = "a"}, {.name = "b"}});
  const auto all = page(t, "").events;
  ASSERT_EQ(all.size(), 4U);
  const auto rest = page(t, all[1].cursor).events;
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].cursor, all[2].cursor);
}

/// A store without an event log subscribes on its first read and reports only later events.
void subscribe(CaseContext& t) {
  if (!t.can(Capability::kEventLog)) (void)page(t, "$");
}

void wait_for_new_events(CaseContext& t) {
  (void)t.add();
  subscribe(t);
  auto reply = t.later(t.store().events(t.queue, "$", 10, Duration(3'600'000)));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_FALSE(reply.ready());
  const JobId id = t.add();
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  ASSERT_FALSE(answer->events.empty());
  EXPECT_EQ(answer->events[0].id, id);
}

void wait_ends_at_its_timeout(CaseContext& t) {
  subscribe(t);
  auto reply = t.later(t.store().events(t.queue, "$", 10, Duration(500)));
  (void)t.must(t.store().wake_delayed(t.queue));
  t.advance(Duration(501));
  const auto answer = reply.get();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->events, IsEmpty());
}

void cursors_survive_reopening(CaseContext& t) {
  (void)t.add();
  const std::string cursor = page(t, "").cursor;
  t.fixture.crash_and_reopen();
  const JobId id = t.add();
  const auto events = page(t, cursor).events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, id);
}

void report_gap(CaseContext& t) {
  (void)t.add("first");
  const std::string cursor = page(t, "").cursor;
  for (int batch = 0; batch < 6; ++batch) (void)t.add_all(std::vector<NewJob>(1000, NewJob{.name = "n"}));
  const EventPage late = page(t, cursor, 10);
  EXPECT_TRUE(late.gap);
  EXPECT_EQ(late.events.size(), 10U);
  EXPECT_FALSE(page(t, late.cursor, 10).gap);
}

void record_events_of_queue(CaseContext& t) {
  (void)t.must(t.store().pause(t.queue));
  (void)t.must(t.store().resume(t.queue));
  (void)t.finished(outcome::Completed{});
  (void)t.must(t.store().clean(t.queue, State::kCompleted, Duration(0), 0));
  std::string kinds;
  for (const Event& event : t.events()) {
    if (event.id.empty()) kinds += std::string(to_string(event.kind)) + " ";
  }
  EXPECT_EQ(kinds, "paused resumed drained cleaned ");
}

void record_cancel_requests(CaseContext& t) {
  const JobId waiting = t.add("w", {.delay = Duration(1000)});
  const JobId active = t.add();
  (void)t.take_one();
  (void)t.must(t.store().cancel(t.ref(active), "kim", "why"));
  (void)t.must(t.store().cancel(t.ref(waiting), "kim", "why"));
  EXPECT_EQ(t.event_kinds(active), "added waiting active cancel-requested");
  EXPECT_EQ(t.event_kinds(waiting), "added delayed failed");
}

}  // namespace

std::vector<Case> event_cases() {
  constexpr const char* kTheme = "Events";
  const std::vector<Capability> event_log{Capability::kEventLog};
  return {
      {kTheme, "RecordEveryTransition", record_every_transition, event_log},
      {kTheme, "RecordFailures", record_failures, event_log},
      {kTheme, "RecordStall", record_stall, event_log},
      {kTheme, "ContainDetails", contain_details, event_log},
      {kTheme, "DetailContainsResultFile", detail_contains_result_file, event_log},
      {kTheme, "DelayedEventContainsDueTime", delayed_event_contains_due_time, event_log},
      {kTheme, "RecordDuplicatesAndRemovals", record_duplicates_and_removals, event_log},
      {kTheme, "ArePagedByCursor", are_paged_by_cursor, event_log},
      {kTheme, "PagesEndAtTheirByteLimit", pages_end_at_their_byte_limit, event_log},
      {kTheme, "CursorOfAnEventIsValid", cursor_of_an_event_is_valid, event_log},
      {kTheme, "WaitForNewEvents", wait_for_new_events},
      {kTheme, "WaitEndsAtItsTimeout", wait_ends_at_its_timeout},
      {kTheme, "CursorsSurviveReopening", cursors_survive_reopening, event_log},
      {kTheme, "ReportGap", report_gap, event_log},
      {kTheme, "RecordEventsOfQueue", record_events_of_queue, event_log},
      {kTheme, "RecordCancelRequests", record_cancel_requests, event_log},
  };
}

}  // namespace gaur::conformance
