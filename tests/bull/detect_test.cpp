// Telling the dialect, accepting a server, and naming repeating jobs: pure parts, from facts.
#include <gmock/gmock.h>

#include "bull/detect.hpp"
#include "bull/repeat.hpp"
#include "bull/server_check.hpp"

namespace gaur::bull {
namespace {

using testing::HasSubstr;

TEST(Dialects, AreToldFromEachKindOfEvidence) {
  struct Row {
    const char* name;
    DialectFacts facts;
    Dialect expected;
  };
  const std::vector<Row> rows{
      {"nothing", {}, Dialect::kUnknown},
      {"the stream", {.events_stream = true}, Dialect::kBullMq},
      {"the version, by a look", {.meta_version = "bullmq:6.7.0"}, Dialect::kUnknown},
      {"the bound of events, by a look", {.meta_max_events = true}, Dialect::kUnknown},
      {"a look at a Bull queue",
       {.meta_version = "bullmq:6.7.0", .meta_max_events = true, .keys = {"meta-paused"}},
       Dialect::kBull},
      {"more than a look", {.events_stream = true, .meta_version = "bullmq:6.7.0"}, Dialect::kBullMq},
      {"a marker", {.keys = {"marker"}}, Dialect::kBullMq},
      {"a pause", {.keys = {"meta-paused"}}, Dialect::kBull},
      {"priorities", {.keys = {"priority"}}, Dialect::kBull},
      {"a scheduler", {.repeat = {{.member = "daily", .scheduler = true, .hash = true}}}, Dialect::kBullMq},
      {"a repeat key", {.repeat = {{.member = "nm:J::2000"}}}, Dialect::kBull},
      {"a short member", {.repeat = {{.member = "nm"}}}, Dialect::kUnknown},
      {"bull's fields", {.jobs = {{.id = "1", .fields = {"name", "attemptsMade"}}}}, Dialect::kBull},
      {"bull's options",
       {.jobs = {{.id = "1", .fields = {"name"}, .options = R"({"attempts":1,"timestamp":5})"}}},
       Dialect::kBull},
      {"bullmq's options",
       {.jobs = {{.id = "1", .fields = {"name"}, .options = R"({"attempts":0})"}}},
       Dialect::kUnknown},
      {"options that are no JSON",
       {.jobs = {{.id = "1", .fields = {"name"}, .options = "{"}}},
       Dialect::kUnknown},
      {"bullmq's fields", {.jobs = {{.id = "1", .fields = {"name", "ats"}}}}, Dialect::kBullMq},
      {"a bullmq lock",
       {.jobs = {{.id = "1", .lock = "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d:17"}}},
       Dialect::kBullMq},
      {"a bull lock",
       {.jobs = {{.id = "1", .lock = "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d"}}},
       Dialect::kUnknown},
      {"a lock of ours", {.jobs = {{.id = "1", .lock = "host-1/query:12:0"}}}, Dialect::kUnknown},
      {"a bull worker", {.worker_commands = {"brpoplpush"}}, Dialect::kBull},
      {"a bullmq worker", {.worker_commands = {"bzpopmin"}}, Dialect::kBullMq},
      {"both", {.keys = {"meta-paused", "marker"}}, Dialect::kMixed},
  };
  for (const auto& [name, facts, expected] : rows) EXPECT_EQ(weigh(facts).dialect(), expected) << name;
}

TEST(Dialects, AMixtureIsRefusedWithTheCommandThatMendsIt) {
  Evidence evidence = weigh({.events_stream = true,
                             .keys = {"marker", "priority"},
                             .repeat = {{.member = "it's daily", .scheduler = true, .hash = true}},
                             .jobs = {{.id = "7", .fields = {"name", "atm", "ats"}}}});
  evidence.base = "ncs_resource:::mail query:";
  evidence.cli = "redis-cli -h redis.example -p 6380 -n 2 --askpass";
  const Status refused = may_be_used_as_bull(QueueName("mail query"), evidence);
  ASSERT_FALSE(refused);
  EXPECT_THAT(
      refused.error().message,
      HasSubstr(
          "redis-cli -h redis.example -p 6380 -n 2 --askpass UNLINK 'ncs_resource:::mail query:events' "
          "'ncs_resource:::mail query:marker' 'ncs_resource:::mail query:repeat:it'\\''s daily'"
          " && redis-cli -h redis.example -p 6380 -n 2 --askpass ZREM 'ncs_resource:::mail query:repeat' "
          "'it'\\''s daily'"
          " && redis-cli -h redis.example -p 6380 -n 2 --askpass HDEL 'ncs_resource:::mail query:7' atm "
          "ats"));
}

TEST(Servers, AreRefusedWithWhatToDo) {
  ServerFacts good{
      .version = "7.0.15", .mode = "standalone", .role = "master", .maxmemory_policy = "noeviction"};
  EXPECT_TRUE(acceptable(good, false));
  ServerFacts old = good;
  old.version = "4.0.14";
  EXPECT_EQ(acceptable(old, false).error().code, Errc::kUnsupported);
  EXPECT_THAT(acceptable(old, false).error().message, HasSubstr("5.0"));
  ServerFacts floor = good;
  floor.version = "5.0.0";
  EXPECT_TRUE(acceptable(floor, false));
  ServerFacts unknown = good;
  unknown.version = "";
  EXPECT_FALSE(acceptable(unknown, false));
  for (const char* policy : {"allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"}) {
    ServerFacts evicting = good;
    evicting.maxmemory_policy = policy;
    const Status refused = acceptable(evicting, false);
    ASSERT_FALSE(refused) << policy;
    EXPECT_EQ(refused.error().code, Errc::kPermission);
    EXPECT_THAT(refused.error().message, HasSubstr("allow_eviction=1"));
    EXPECT_TRUE(acceptable(evicting, true));
  }
  ServerFacts replica = good;
  replica.role = "slave";
  EXPECT_EQ(acceptable(replica, false).error().code, Errc::kDisconnected);
  ServerFacts sentinel = good;
  sentinel.mode = "sentinel";
  EXPECT_FALSE(acceptable(sentinel, true));
}

TEST(Servers, AreReadFromInfo) {
  const auto facts = facts_of_info(
      "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nredis_mode:standalone\r\nrole:master\r\n"
      "used_memory:1024\r\nmaxmemory:2048\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\nbroken "
      "line\r\n");
  EXPECT_EQ(facts.version, "7.2.4");
  EXPECT_EQ(facts.flavour, "valkey");
  EXPECT_EQ(facts.used_bytes, 1024U);
  EXPECT_EQ(facts.maxmemory_bytes, 2048U);
  EXPECT_EQ(facts.maxmemory_policy, "allkeys-lru");
  EXPECT_TRUE(facts.append_only);
}

// The vectors of protocol/bull-4.md, section 3.12.
TEST(Repeating, NamesSchedulesAndRunsAsBullDoes) {
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

TEST(Repeating, FindsItsSlots) {
  const Time now = from_ms(10'500);
  EXPECT_EQ(*next_slot({.every = "1000"}, now, {}), from_ms(11'000));
  EXPECT_EQ(*next_slot({.every = "1000"}, now, from_ms(11'000)), from_ms(12'000));
  EXPECT_EQ(*next_slot({.every = "1000"}, now, from_ms(3'000)), from_ms(11'000)) << "late: no catching up";
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

TEST(Repeating, IsReadFromOptions) {
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
