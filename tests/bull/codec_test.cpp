// Encoding and decoding of options and jobs.
#include "bull/job_codec.hpp"

#include "redis_store/replies.hpp"

#include <gmock/gmock.h>

namespace gaur::bull {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

redis::Reply::Array fields(std::initializer_list<const char*> texts) {
  redis::Reply::Array array;
  for (const char* text : texts) array.push_back({std::string(text)});
  return array;
}

Job read(redis::Reply::Array fields_of_hash) {
  return job_from_hash(QueueName("q"), JobId("1"), fields_of_hash, {.state = State::kCompleted});
}

TEST(JobHash, KeepsWhatJsonParseReads) {
  const Job job =
      read(fields({"name", "n", "data", R"({"func":"top","text":"cut \ud83d","big":123456789012345678901})",
                   "progress", "\"\\udc00\"", "returnvalue", "[1e400]"}));
  EXPECT_EQ(job.data, R"({"func":"top","text":"cut \ud83d","big":123456789012345678901})");
  EXPECT_EQ(job.data_invalid, "");
  EXPECT_EQ(job.progress, "\"\\udc00\"");
  EXPECT_EQ(job.result, "[1e400]");
  EXPECT_EQ(read(fields({"name", "", "data", ""})).name, "__default__") << "as Bull reads empty fields";
  EXPECT_EQ(read(fields({"name", "", "data", ""})).data, "{}");
}

TEST(JobHash, KeepsInvalidJsonAsText) {
  const Job job =
      read(fields({"name", "a\xFFz", "data", "{}, \"function\":\"other\"", "progress", "50%", "returnvalue",
                   "{\"a\":", "failedReason", "bad \xED\xA0\xBD", "stacktrace", R"(["at \ud83d", 5])"}));
  EXPECT_EQ(job.data, R"("{}, \"function\":\"other\"")");
  EXPECT_THAT(job.data_invalid, HasSubstr("not JSON"));
  EXPECT_EQ(job.progress, "\"50%\"");
  EXPECT_EQ(job.result, R"("{\"a\":")");
  EXPECT_EQ(job.name, "a\xEF\xBF\xBDz");
  ASSERT_TRUE(job.failure);
  EXPECT_EQ(job.failure->message, "bad \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_THAT(job.stacktrace, ElementsAre("at \xEF\xBF\xBD", "5"));
}

TEST(OptionsJson, ContainsTheMembersOfEveryBullJob) {
  EXPECT_EQ(options_to_json({}), R"({"attempts":1,"delay":0})");
}

TEST(OptionsJson, RoundTrips) {
  JobOptions options{.delay = Duration(1000), .priority = 7, .lifo = true, .attempts = 4};
  options.backoff = {.kind = Backoff::Kind::kExponential, .delay = Duration(250), .jitter = 0.5};
  options.timestamp = from_ms(1'700'000'000'123);
  options.on_complete = Retention{.count = 10, .age = std::chrono::seconds(60)};
  options.on_fail = Retention{};
  options.timeout = Duration(60'000);
  options.queue_timeout = Duration(600'000);
  options.keep_logs = 17;
  options.stack_trace_limit = 3;
  options.id = JobId("report \"2026\"");
  options.deduplication = Deduplication{.id = "d", .ttl = Duration(500)};
  EXPECT_EQ(options_from_json(options_to_json(options)), options);
}

TEST(OptionsJson, ContainsNoNullAndNoExponent) {
  JobOptions options;
  options.on_complete = Retention{};
  options.on_fail = Retention{.count = 0};
  options.timestamp = from_ms(4'102'444'800'000);
  options.delay = std::chrono::hours(24 * 3650);
  const std::string text = options_to_json(options);
  EXPECT_THAT(text, HasSubstr(R"("removeOnComplete":false)"));
  EXPECT_THAT(text, HasSubstr(R"("removeOnFail":true)"));
  EXPECT_THAT(text, HasSubstr(R"("delay":315360000000)"));
  EXPECT_EQ(text.find("null"), std::string::npos);
  EXPECT_EQ(text.find("e+"), std::string::npos);
}

TEST(OptionsJson, ReadsTheFormsOfBullClients) {
  const auto read = [](const char* text) { return options_from_json(text); };
  EXPECT_EQ(read(R"({"removeOnComplete":true})").on_complete, (Retention{.count = 0}));
  EXPECT_EQ(read(R"({"removeOnComplete":5})").on_complete, (Retention{.count = 5}));
  EXPECT_EQ(read(R"({"removeOnComplete":-1})").on_complete, Retention{});
  EXPECT_EQ(read(R"({"removeOnComplete":null})").on_complete, std::nullopt);
  EXPECT_EQ(read(R"({"removeOnFail":{"age":3600}})").on_fail, (Retention{.age = std::chrono::seconds(3600)}));
  EXPECT_EQ(read(R"({"backoff":300})").backoff.delay, Duration(300));
  EXPECT_EQ(read(R"({"backoff":{"type":"exponential","delay":50}})").backoff.kind,
            Backoff::Kind::kExponential);
  EXPECT_EQ(read(R"({"jobId":17})").id, JobId("17"));
  EXPECT_EQ(read(R"({"delay":"250"})").delay, Duration(250));
  EXPECT_EQ(read(R"({"priority":1e300,"attempts":-4,"delay":-5})").attempts, 1U);
  EXPECT_EQ(read("no json").attempts, 1U);
  EXPECT_EQ(read("[]").attempts, 1U);
}

TEST(OptionsJson, AcceptsUnpairedSurrogates) {
  EXPECT_EQ(options_from_json("{\"jobId\":\"a\\ud83d\",\"attempts\":3}").attempts, 3U);
  EXPECT_EQ(options_from_json("{\"jobId\":\"\\ud83d\\ude00\",\"attempts\":3}").id, JobId("\U0001F600"));
  EXPECT_EQ(options_from_json("{\"jobId\":\"\\\\ud83d\",\"attempts\":3}").id, JobId("\\ud83d"));
}

TEST(JobHash, FillsMissingFieldsWithDefaults) {
  const Job job = job_from_hash(QueueName("q"), JobId("7"), {}, {});
  EXPECT_EQ(job.name, "__default__");
  EXPECT_EQ(job.data, "{}");
  EXPECT_EQ(job.options.attempts, 1U);
  EXPECT_EQ(job.state, State::kWaiting);
}

TEST(JobHash, CountsAttemptsAndStarts) {
  const auto hash =
      fields({"attemptsMade", "2", "stalledCounter", "1", "stacktrace", R"(["one","two"])", "failedReason",
              "it \"broke\"", "returnvalue", "5", "priority", "3", "timestamp", "1700000000000.5"});
  const Job active =
      job_from_hash(QueueName("q"), JobId("7"), hash, {.state = State::kActive, .uncounted_starts = 4});
  EXPECT_EQ(active.attempts_made, 2U);
  EXPECT_EQ(active.attempts_started, 2U + 1 + 4 + 1);
  EXPECT_EQ(active.failure->message, "it \"broke\"");
  EXPECT_EQ(active.failure->stack, "two");
  EXPECT_THAT(active.stacktrace, ElementsAre("one", "two"));
  EXPECT_EQ(active.timestamp, from_ms(1'700'000'000'000));
  const Job done = job_from_hash(QueueName("q"), JobId("7"), hash, {.state = State::kCompleted});
  EXPECT_EQ(done.attempts_made, 3U);
  EXPECT_EQ(done.result, "5");
  EXPECT_EQ(job_from_hash(QueueName("q"), JobId("7"), hash, {}).state, State::kWaiting)
      << "a retry by hand leaves a priority that has no place";
}

TEST(Payload, IsStrictJson) {
  EXPECT_EQ(finish_payload(JobId("1"), R"({"a":"b"})"), R"({"jobId":"1","val":"{\"a\":\"b\"}"})");
  EXPECT_TRUE(json::parse(finish_payload(JobId("a\"b"), "line\nbreak \x01")));
}

TEST(Score, KeepsTheMillisecond) {
  EXPECT_EQ(redis_store::due_of_score(1'800'000'000'123.0 * 4096 + 4095), from_ms(1'800'000'000'123));
}

}  // namespace
}  // namespace gaur::bull
