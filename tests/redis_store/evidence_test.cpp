// Detecting the dialect of a queue, and accepting a server: the pure parts, from facts.
#include <gmock/gmock.h>

#include "redis_store/dialect_evidence.hpp"
#include "redis_store/server_facts.hpp"

namespace gaur::redis_store {
namespace {

using testing::HasSubstr;

TEST(DialectEvidence, DetectsTheDialectFromEachKind) {
  struct Row {
    const char* name;
    DialectFacts facts;
    DetectedDialect expected;
  };
  const std::vector<Row> rows{
      {"an empty queue", {}, DetectedDialect::kUnknown},
      {"the stream", {.events_stream = true}, DetectedDialect::kBullMq},
      {"the version that a BullMQ Queue object writes",
       {.meta_version = "bullmq:6.7.0"},
       DetectedDialect::kUnknown},
      {"the event limit that a BullMQ Queue object writes",
       {.meta_max_events = true},
       DetectedDialect::kUnknown},
      {"a Bull queue that a BullMQ Queue object opened",
       {.meta_version = "bullmq:6.7.0", .meta_max_events = true, .keys = {"meta-paused"}},
       DetectedDialect::kBull},
      {"a stream and a version",
       {.events_stream = true, .meta_version = "bullmq:6.7.0"},
       DetectedDialect::kBullMq},
      {"a marker", {.keys = {"marker"}}, DetectedDialect::kBullMq},
      {"a pause", {.keys = {"meta-paused"}}, DetectedDialect::kBull},
      {"priorities", {.keys = {"priority"}}, DetectedDialect::kBull},
      {"a scheduler",
       {.repeat = {{.member = "daily", .scheduler = true, .hash = true}}},
       DetectedDialect::kBullMq},
      {"a repeat key", {.repeat = {{.member = "nm:J::2000"}}}, DetectedDialect::kBull},
      {"a short member", {.repeat = {{.member = "nm"}}}, DetectedDialect::kUnknown},
      {"bull's fields", {.jobs = {{.id = "1", .fields = {"name", "attemptsMade"}}}}, DetectedDialect::kBull},
      {"bull's options",
       {.jobs = {{.id = "1", .fields = {"name"}, .options = R"({"attempts":1,"timestamp":5})"}}},
       DetectedDialect::kBull},
      {"bullmq's options",
       {.jobs = {{.id = "1", .fields = {"name"}, .options = R"({"attempts":0})"}}},
       DetectedDialect::kUnknown},
      {"options that are not JSON",
       {.jobs = {{.id = "1", .fields = {"name"}, .options = "{"}}},
       DetectedDialect::kUnknown},
      {"bullmq's fields", {.jobs = {{.id = "1", .fields = {"name", "ats"}}}}, DetectedDialect::kBullMq},
      {"a bullmq lock",
       {.jobs = {{.id = "1", .lock = "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d:17"}}},
       DetectedDialect::kBullMq},
      {"a bull lock",
       {.jobs = {{.id = "1", .lock = "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d"}}},
       DetectedDialect::kUnknown},
      {"a lock of Gaur", {.jobs = {{.id = "1", .lock = "host-1/query:12:0"}}}, DetectedDialect::kUnknown},
      {"a bull worker", {.worker_commands = {"brpoplpush"}}, DetectedDialect::kBull},
      {"a bullmq worker", {.worker_commands = {"bzpopmin"}}, DetectedDialect::kBullMq},
      {"both", {.keys = {"meta-paused", "marker"}}, DetectedDialect::kMixed},
  };
  for (const auto& [name, facts, expected] : rows) EXPECT_EQ(evidence_of(facts).dialect(), expected) << name;
}

TEST(ServerFacts, RejectsUnusableServersWithAdvice) {
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
    const Status rejected = acceptable(evicting, false);
    ASSERT_FALSE(rejected) << policy;
    EXPECT_EQ(rejected.error().code, Errc::kPermission);
    EXPECT_THAT(rejected.error().message, HasSubstr("allow_eviction=1"));
    EXPECT_TRUE(acceptable(evicting, true));
  }
  ServerFacts replica = good;
  replica.role = "slave";
  EXPECT_EQ(acceptable(replica, false).error().code, Errc::kDisconnected);
  ServerFacts sentinel = good;
  sentinel.mode = "sentinel";
  EXPECT_FALSE(acceptable(sentinel, true));
}

TEST(ServerFacts, AreReadFromInfo) {
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

}  // namespace
}  // namespace gaur::redis_store
