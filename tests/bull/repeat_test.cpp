// Names and slots of repeatable jobs: the pure parts.
#include "bull/repeat.hpp"

#include <gmock/gmock.h>

namespace gaur::bull {
namespace {

// The vectors of protocol/bull-4.md, section 3.12.
TEST(Repeat, NamesSchedulesAndIterationsAsBullDoes) {
  struct Row {
    const char* name;
    Repeat repeat;
    const char* key;
    const char* hash;
  };
  const std::vector<Row> rows{
      {"__default__", {.every = "1000"}, "__default__:::1000", "6f7759385e855ae9ce8f89c1765be3a3"},
      {"nm", {.every = "2000", .job_id = "J"}, "nm:J::2000", "40c53093dba05cd1c158431255d4b953"},
      {"nm", {.cron = "*/5 * * * * *"}, "nm::::*/5 * * * * *", "0a11f2b486c616b5656a1fd4a961f7a1"},
      {"nm",
       {.cron = "0 5 * * *", .time_zone = "Europe/Athens", .job_id = "K", .end = from_ms(2'208'988'800'000)},
       "nm:K:2208988800000:Europe/Athens:0 5 * * *",
       "75101c83e249e784c6aa5e68b8b36955"},
  };
  for (const auto& [name, repeat, key, hash] : rows) {
    EXPECT_EQ(repeat_key(name, repeat), key);
    EXPECT_EQ(repeat_hash(name, repeat.job_id, key), hash);
    EXPECT_EQ(iteration_id(name, repeat, key, from_ms(5000)).value, std::string("repeat:") + hash + ":5000");
    const auto parts = parse_repeat_key(key);
    ASSERT_TRUE(parts) << key;
    EXPECT_EQ(parts->name, name);
    EXPECT_EQ(parts->job_id, repeat.job_id);
    EXPECT_EQ(parts->cron, repeat.cron);
    EXPECT_EQ(parts->every, repeat.every);
    EXPECT_EQ(parts->time_zone, repeat.time_zone);
    EXPECT_EQ(parts->end, repeat.end);
  }
}

TEST(Repeat, ComputesTheNextSlot) {
  const Time now = from_ms(10'500);
  EXPECT_EQ(*next_slot({.every = "1000"}, now, {}), from_ms(11'000));
  EXPECT_EQ(*next_slot({.every = "1000"}, now, from_ms(11'000)), from_ms(12'000));
  EXPECT_EQ(*next_slot({.every = "1000"}, now, from_ms(3'000)), from_ms(11'000))
      << "missed slots are skipped";
  EXPECT_EQ(*next_slot({.cron = "*/5 * * * * *", .time_zone = "UTC"}, now, {}), from_ms(15'000));
  EXPECT_EQ(*next_slot({.cron = "* * * * * *", .time_zone = "UTC", .start = from_ms(60'000)}, now, {}),
            from_ms(61'000));
  EXPECT_FALSE(*next_slot({.every = "1000", .limit = 3, .count = 3}, now, {}));
  EXPECT_TRUE(*next_slot({.every = "1000", .limit = 3, .count = 2}, now, {}));
  EXPECT_FALSE(*next_slot({.every = "1000", .end = from_ms(10'000)}, now, {}));
  EXPECT_FALSE(*next_slot({.cron = "0 0 1 1 *", .time_zone = "UTC", .end = from_ms(20'000)}, now, {}));
  EXPECT_FALSE(next_slot({.cron = "nonsense"}, now, {}));
  EXPECT_FALSE(next_slot({.every = "0"}, now, {}));
}

TEST(Repeat, IsReadFromOptions) {
  const auto options = json::parse_object(
      R"({"repeat":{"cron":"0 5 * * *","tz":"Asia/Seoul","endDate":"2040-01-01T00:00:00.000Z","limit":5,"count":2,
          "key":"k","jobId":7},"prevMillis":5})");
  ASSERT_TRUE(options);
  const auto repeat = repeat_of(*options);
  ASSERT_TRUE(repeat && *repeat);
  EXPECT_EQ((*repeat)->cron, "0 5 * * *");
  EXPECT_EQ((*repeat)->end, from_ms(2'208'988'800'000));
  EXPECT_EQ((*repeat)->job_id, "7");
  EXPECT_EQ((*repeat)->count, 2);
  EXPECT_FALSE(*repeat_of(*json::parse_object("{}")));
  EXPECT_FALSE(repeat_of(*json::parse_object(R"({"repeat":{"tz":"UTC"}})")));
  EXPECT_FALSE(repeat_of(*json::parse_object(R"({"repeat":5})")));
}

}  // namespace
}  // namespace gaur::bull
