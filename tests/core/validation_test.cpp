#include <gmock/gmock.h>

#include <limits>

#include "gaur/job.hpp"

namespace gaur {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

JobOptions with_id(std::string id) {
  return {.id = JobId(std::move(id))};
}

TEST(Validation, AcceptsDefaults) {
  EXPECT_THAT(problems_of({}), IsEmpty());
}

TEST(Validation, AcceptsIds) {
  for (const auto* id : {"a", "order-1", "01", "-1", "1a", "1.0", "repeat:daily:1700000000000", "주문-1"}) {
    EXPECT_THAT(problems_of(with_id(id)), IsEmpty()) << id;
  }
  EXPECT_THAT(problems_of(with_id(std::string(128, 'x'))), IsEmpty());
}

TEST(Validation, ReportsFieldRuleAndValue) {
  struct Case {
    JobOptions options;
    std::string problem;
  };
  constexpr Duration kTooLong = std::chrono::hours(24 * 365 * 10) + 1ms;
  for (const auto& [options, problem] : std::vector<Case>{
           {with_id(""), "id: must not be empty, was \"\""},
           {with_id("0"), "id: a whole number is reserved for the store's own ids; add a letter, was \"0\""},
           {with_id("42"),
            "id: a whole number is reserved for the store's own ids; add a letter, was \"42\""},
           {with_id(std::string(129, 'x')), "id: at most 128 bytes, was \"" + std::string(129, 'x') + "\""},
           {with_id("a:b"), "id: a colon is allowed only as in \"repeat:<scheduler>:<ms>\", was \"a:b\""},
           {with_id("a:b:c:d"),
            "id: a colon is allowed only as in \"repeat:<scheduler>:<ms>\", was \"a:b:c:d\""},
           {with_id("a\nb"), "id: must not contain control characters, was \"a\\nb\""},
           {with_id(std::string("a\0b", 3)), "id: must not contain control characters, was \"a\\u0000b\""},
           {with_id("\xFF"), "id: must be UTF-8, was \"\xEF\xBF\xBD\""},
           {{.delay = -1ms}, "delay: 0 to 315360000000 ms (ten years), was -1"},
           {{.delay = kTooLong}, "delay: 0 to 315360000000 ms (ten years), was 315360000001"},
           {{.priority = 2'097'152}, "priority: a whole number from 0 to 2097151 is expected, was 2097152"},
           {{.attempts = 1'000'001}, "attempts: a whole number from 1 to 1000000 is expected, was 1000001"},
           {{.backoff = {.delay = -5ms}}, "backoff.delay: 0 to 315360000000 ms (ten years), was -5"},
           {{.backoff = {.jitter = 1.5}}, "backoff.jitter: 0 to 1, was 1.5"},
           {{.backoff = {.jitter = std::numeric_limits<double>::quiet_NaN()}},
            "backoff.jitter: 0 to 1, was nan"},
           {{.timeout = 0ms}, "timeout: above 0 ms, was 0; leave it out for none"},
           {{.queue_timeout = -1ms}, "queue_timeout: 0 to 315360000000 ms (ten years), was -1"},
           {{.deduplication = Deduplication{}}, "deduplication.id: must not be empty"},
           {{.deduplication = Deduplication{.id = "d"}, .parent = ParentRef{}},
            "deduplication: cannot be used together with parent"},
       }) {
    EXPECT_THAT(problems_of(options), ElementsAre(problem));
  }
}

TEST(Validation, AcceptsValuesAtTheLimits) {
  EXPECT_THAT(problems_of({.delay = std::chrono::hours(24 * 365 * 10), .priority = 2'097'151}), IsEmpty());
  EXPECT_THAT(problems_of({.backoff = {.jitter = 1.0}, .timeout = 1ms, .queue_timeout = 0ms}), IsEmpty());
}

TEST(Validation, ReportsAllProblems) {
  const auto problems =
      problems_of_job("", "{broken", {.id = JobId("7"), .delay = -1ms, .priority = 9'999'999});
  EXPECT_THAT(problems, ElementsAre(HasSubstr("id: "), HasSubstr("delay: "), HasSubstr("priority: "),
                                    HasSubstr("name: "), HasSubstr("data: ")));
}

TEST(Validation, ChecksNameAndData) {
  struct Case {
    std::string name, data, problem;
  };
  for (const auto& [name, data, problem] : std::vector<Case>{
           {"", "{}", "name: must not be empty"},
           {std::string(257, 'n'), "{}", "name: at most 256 bytes, was 257"},
           {"\xC3(", "{}", "name: must be UTF-8"},
           {std::string("a\0", 2), "{}", "name: must not contain a NUL character"},
           {"n", "", "data: not JSON: incomplete JSON at line 1, column 1"},
           {"n", "{\"a\":\n tru}", "data: not JSON: "},
           {"n", std::string((1 << 20) + 1, ' '), "data: at most 1048576 bytes, was 1048577"},
       }) {
    EXPECT_THAT(problems_of_job(name, data, {}), ElementsAre(HasSubstr(problem)))
        << name << " " << data.substr(0, 20);
  }
  EXPECT_THAT(problems_of_job(std::string(256, 'n'), "[1,\"한글\",null]", {}), IsEmpty());
}

TEST(Validation, AppliesGivenLimits) {
  EXPECT_THAT(problems_of_job("name", "[1,2,3]", {}, {.data_bytes = 6, .name_bytes = 3}),
              ElementsAre("name: at most 3 bytes, was 4", "data: at most 6 bytes, was 7"));
}

TEST(Validation, AcceptsQueueNamesOfBull) {
  for (const auto& name : {std::string("query"), std::string("Query_2.fast-line"), std::string("mail:high"),
                           std::string("mail:wait"), std::string("test/tx"), std::string("a b"),
                           std::string("질의"), std::string("\xF0\x9F\x93\xA7"), std::string("{hash}tags"),
                           std::string("a\n"), std::string("a\0b", 3), std::string("."), std::string(".."),
                           std::string("50%"), std::string("a@b*?[c]\\\"'"), std::string(480, 'q')})
    EXPECT_TRUE(validate_queue_name(name)) << name;
  for (const auto& name : {std::string(), std::string(481, 'q'), std::string("\xFF\xFE")}) {
    const auto status = validate_queue_name(name);
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
  }
}

}  // namespace
}  // namespace gaur
