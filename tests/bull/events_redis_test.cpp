// Events as Bull clients publish them: delivery, pages by cursor, gaps after a lost connection.
#include "layout_fixture.hpp"

#include <fmt/format.h>

namespace gaur::bull {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Events : public Layout {
 protected:
  EventPage page(std::string cursor, Duration at_most = Duration(0)) {
    return must(store().events(queue_, std::move(cursor), 100, at_most));
  }
  /// Everything after `cursor` until `count` events came; the test's own deadline is ctest's.
  std::vector<Event> heard(std::string cursor, std::size_t count) {
    std::vector<Event> all;
    while (all.size() < count) {
      const EventPage next = page(cursor, Duration(10'000));
      if (next.events.empty()) break;
      all.insert(all.end(), next.events.begin(), next.events.end());
      cursor = next.cursor;
    }
    return all;
  }
  static void publish(const std::string& channel, const std::string& payload) {
    (void)redis({"PUBLISH", key(channel), payload});
  }
};

TEST_F(Events, AreReadFromBullsMessages) {
  const std::string begin = page("$").cursor;
  publish("waiting@0f0e5e0c", "1");
  publish("active@0f0e5e0c", "1");
  publish("progress", R"({"jobId":"1","progress":{"rows": 2}})");
  publish("completed", R"({"jobId":"1","val":"{\"rows\":2}"})");
  publish("completed", R"({"jobId":"2"})");
  publish("failed", R"({"jobId":"3", "val": "job stalled more than maxStalledCount"})");
  publish("stalled@", "4");
  publish("delayed", "1795350977642.0012");
  publish("drained", "");
  publish("duplicated@0f0e5e0c", "own");
  publish("progress", "7,50");
  const auto events = heard(begin, 11);
  std::vector<std::string> lines;
  for (const Event& event : events)
    lines.push_back(fmt::format("{} {} {}", to_string(event.kind), event.id.value, event.detail));
  EXPECT_THAT(lines,
              ElementsAre("waiting 1 ", "active 1 ", R"(progress 1 {"rows": 2})", R"(completed 1 {"rows":2})",
                          "completed 2 null", "failed 3 job stalled more than maxStalledCount", "stalled 4 ",
                          "delayed  1795350977642", "drained  ", "duplicated own ", "progress 7 50"));
}

TEST_F(Events, IgnoreInvalidJson) {
  const std::string begin = page("$").cursor;
  for (const char* payload : {"", "no json", "{", "[1,2]", R"({"val":"x"})", "\x01\xff", R"({"jobId":""})"}) {
    publish("completed", payload);
    publish("failed", payload);
    publish("progress", payload);
  }
  publish("waiting@t", "");
  publish("waiting@t", "1");
  const auto events = heard(begin, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, JobId("1"));
}

TEST_F(Events, ReportALostConnectionAsAGap) {
  const std::string begin = page("$").cursor;
  publish("waiting@t", "1");
  const auto first = heard(begin, 1);
  ASSERT_EQ(first.size(), 1U);
  const std::string cursor = first[0].cursor;
  (void)redis({"CLIENT", "KILL", "TYPE", "pubsub"});
  const EventPage after = page(cursor, Duration(10'000));
  EXPECT_TRUE(after.gap);
  EXPECT_THAT(after.events, IsEmpty());
  publish("waiting@t", "2");
  const auto rest = heard(after.cursor, 1);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].id, JobId("2"));
  EXPECT_FALSE(page(after.cursor).gap) << "reported once";
  EXPECT_TRUE(page(cursor).gap) << "but to each reader from before it";
}

TEST_F(Events, ReportACursorOfAPreviousStoreAsAGap) {
  const std::string cursor = page("$").cursor;
  store_ = make_bull_store(*client_, env_, options_());
  EXPECT_TRUE(page(cursor).gap);
  EXPECT_EQ(error(store().events(queue_, "nonsense", 1, Duration(0))), Errc::kInvalidArgument);
}

TEST_F(Events, AreKeptUpToALimit) {
  const std::string begin = page("$").cursor;
  (void)redis({"EVAL", "for i = 1, 10500 do redis.call('PUBLISH', ARGV[1], i) end", "0", key("waiting@t")});
  publish("drained", "");
  bool drained = false;
  for (std::string cursor = begin; !drained;) {  // until the last of them was heard
    const EventPage next = page(cursor, Duration(10'000));
    ASSERT_FALSE(next.events.empty());
    drained = next.events.back().kind == EventKind::kDrained;
    cursor = next.cursor;
  }
  const EventPage late = page(begin);
  EXPECT_TRUE(late.gap);
  ASSERT_FALSE(late.events.empty());
  EXPECT_EQ(late.events.front().id, JobId("502"));
}

TEST_F(Events, ReturnAfterAtMost) {
  const std::string begin = page("$").cursor;
  EXPECT_THAT(page(begin, Duration(50)).events, IsEmpty());
}

}  // namespace
}  // namespace gaur::bull
