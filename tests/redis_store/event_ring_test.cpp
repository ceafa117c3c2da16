#include "redis_store/event_ring.hpp"

#include <gmock/gmock.h>

namespace gaur::redis_store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Event event(const std::string& id, std::string detail = "") {
  return {.kind = EventKind::kCompleted, .id = JobId(id), .detail = std::move(detail)};
}

std::vector<Event> read_all(const EventRing& ring) {
  std::vector<Event> events;
  for (std::string cursor = ring.resolve(""); true;) {
    EventPage page = ring.after(cursor, 10'000);
    if (page.events.empty()) return events;
    for (Event& event : page.events) events.push_back(std::move(event));
    cursor = page.cursor;
  }
}

TEST(EventRing, PagesFromTheOldestAndFromTheNewest) {
  EventRing ring("a");
  ring.add(event("1"));
  ring.add(event("2"));
  const EventPage first = ring.after(ring.resolve(""), 1);
  ASSERT_THAT(first.events, SizeIs(1));
  EXPECT_EQ(first.events[0].id, JobId("1"));
  EXPECT_EQ(first.cursor, first.events[0].cursor);
  const EventPage second = ring.after(first.cursor, 10);
  ASSERT_THAT(second.events, SizeIs(1));
  EXPECT_EQ(second.events[0].id, JobId("2"));
  EXPECT_FALSE(second.gap);
  EXPECT_THAT(ring.after(ring.resolve("$"), 10).events, IsEmpty());
}

TEST(EventRing, ReportsAGapToReadersFromBeforeIt) {
  EventRing ring("a");
  ring.add(event("1"));
  const std::string before = ring.resolve("$");
  ring.add_gap();
  const EventPage page = ring.after(before, 10);
  EXPECT_TRUE(page.gap);
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_FALSE(ring.after(page.cursor, 10).gap) << "a gap is reported once";
}

TEST(EventRing, ReportsAGapForAnUnknownCursor) {
  EventRing ring("a");
  ring.add(event("1"));
  EXPECT_TRUE(ring.after("b-1", 10).gap) << "of another store";
  EXPECT_TRUE(ring.after("a-7", 10).gap) << "of the future";
  EXPECT_THAT(ring.after("b-1", 10).events, SizeIs(1));
  EXPECT_FALSE(EventRing::check_cursor("nonsense"));
  EXPECT_FALSE(EventRing::check_cursor("a-"));
  EXPECT_FALSE(EventRing::check_cursor("a-1x"));
  EXPECT_TRUE(EventRing::check_cursor("b-1"));
}

TEST(EventRing, DropsTheOldestBeyondItsBounds) {
  EventRing by_count("a");
  for (int i = 1; i <= 10'500; ++i) by_count.add(event(std::to_string(i)));
  const EventPage counted = by_count.after("a-0", 1);
  EXPECT_TRUE(counted.gap);
  EXPECT_EQ(counted.events.at(0).id, JobId("501"));

  EventRing by_bytes("a");
  for (int i = 1; i <= 40; ++i) by_bytes.add(event(std::to_string(i), std::string(1 << 20, 'x')));
  EXPECT_THAT(read_all(by_bytes), SizeIs(32));
  by_bytes.add(event("large", std::string((2 << 20) + 1, 'x')));
  EXPECT_EQ(by_bytes.after("a-40", 1).events.at(0).detail, "") << "a larger detail is left out";
}

TEST(EventRing, CountsIdsTowardItsBytes) {
  EventRing ring("a");
  for (int i = 1; i <= 2'000; ++i) ring.add(event(std::string(1 << 20, 'x') + std::to_string(i)));
  EXPECT_TRUE(ring.after("a-0", 1).gap);
  const std::vector<Event> kept = read_all(ring);
  ASSERT_THAT(kept, SizeIs(32));
  EXPECT_TRUE(kept.back().id.value.ends_with("x2000"));
  for (int i = 1; i <= 100; ++i) ring.add(event(std::to_string(i)));
  EXPECT_THAT(read_all(ring), SizeIs(132)) << "small ones still fit";
}

TEST(EventRing, LimitsTheBytesOfAPage) {
  EventRing ring("a");
  for (int i = 1; i <= 10; ++i) ring.add(event(std::to_string(i), std::string((1 << 20) - 10, 'x')));
  ring.add(event(std::string(5 << 20, 'i')));
  const EventPage page = ring.after("a-0", 100);
  EXPECT_THAT(page.events, SizeIs(4));
  EXPECT_EQ(page.cursor, page.events.back().cursor);
  EXPECT_THAT(ring.after("a-10", 100).events, SizeIs(1)) << "a large one is a page of its own";
  EXPECT_THAT(read_all(ring), SizeIs(11));
}

}  // namespace
}  // namespace gaur::redis_store
