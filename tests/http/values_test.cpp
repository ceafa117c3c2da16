// The small texts of URLs, headers and bodies.
#include "http/values.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/name_text.hpp"
#include "base/time_text.hpp"
#include "http/add_body.hpp"
#include "http/forwarded.hpp"
#include "http/guard.hpp"
#include "http/router.hpp"
#include "http/slices.hpp"
#include "http/wire.hpp"

namespace gaur::http {
namespace {

TEST(Values, percent_codes_are_decoded_strictly) {
  EXPECT_EQ(*percent_decode("%EA%B0%80+a"), "가+a");
  EXPECT_EQ(*percent_decode("%2525"), "%25");
  for (const char* bad : {"%", "%4", "%g0", "a%", "%-1"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  EXPECT_EQ(percent_encode("가 /a-b"), "%EA%B0%80%20%2Fa-b");
}

TEST(Values, a_target_is_split_before_it_is_decoded) {
  const auto target = parse_target("/a%2Fb/c?x=1%262&y&&z=a=b");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(target->query,
            (std::vector<std::pair<std::string, std::string>>{{"x", "1&2"}, {"y", ""}, {"z", "a=b"}}));
  for (const char* bad : {"", "a", "/a b", "/a#b", "/\x80", "/%"}) EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(Values, only_trusted_proxies_set_the_client_address) {
  const std::vector<std::string> trusted{"127.0.0.1", "10.0.0.2"};
  const auto address = [&](std::string remote, std::vector<std::string> forwarded) {
    Request request;
    request.remote = std::move(remote);
    for (std::string& value : forwarded) request.headers.push_back({"x-forwarded-for", std::move(value)});
    return client_address(request, trusted);
  };
  EXPECT_EQ(address("127.0.0.1", {"192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(address("192.0.2.9", {"192.0.2.7"}), "192.0.2.9") << "the header of an unknown proxy is ignored";
  EXPECT_EQ(address("127.0.0.1", {"6.6.6.6, 192.0.2.7 ,10.0.0.2"}), "192.0.2.7");
  EXPECT_EQ(address("127.0.0.1", {"6.6.6.6", "192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(address("127.0.0.1", {"10.0.0.2, 127.0.0.1"}), "10.0.0.2");
  EXPECT_EQ(address("127.0.0.1", {}), "127.0.0.1");
  EXPECT_EQ(address("127.0.0.1", {"a, "}), "127.0.0.1");
  EXPECT_EQ(address("127.0.0.1", {std::string(65, 'x')}), "127.0.0.1");
}

TEST(Values, a_base_path_is_cut_off_where_it_stands) {
  EXPECT_EQ(without_base("/gaur/v1/host", "/gaur"), "/v1/host");
  EXPECT_EQ(without_base("/v1/host", "/gaur"), "/v1/host");
  EXPECT_EQ(without_base("/gaurs/v1", "/gaur"), "/gaurs/v1");
  EXPECT_EQ(without_base("/gaur", "/gaur"), "/gaur");
  EXPECT_EQ(without_base("/v1/host", ""), "/v1/host");
}

TEST(QueryOptions, FollowTheRulesOfTheBodysOptions) {
  const auto read = [](const char* key, const char* value) {
    std::vector<std::string> problems;
    const JobOptions options = parse_query_options({{key, value}}, problems);
    EXPECT_TRUE(problems.empty()) << problems.front();
    return options;
  };
  EXPECT_EQ(read("delay", "5").delay, Duration(5));
  EXPECT_EQ(read("delay", "2d").delay, std::chrono::hours(48));
  EXPECT_EQ(read("timeout", "1h30m").timeout, std::chrono::minutes(90));
  EXPECT_EQ(read("priority", "7").priority, 7U);
  EXPECT_EQ(read("attempts", "1000000").attempts, 1'000'000U);
  EXPECT_EQ(read("id", "007").id, JobId("007"));

  const std::vector<std::tuple<const char*, const char*, const char*>> wrong{
      {"priority", "1.5", "a whole number from 0 to 2097151 is expected, was"},
      {"priority", "2097152", "a whole number from 0 to 2097151 is expected, was 2097152"},
      {"priority", "-1", "a whole number from 0 to 2097151 is expected, was"},
      {"attempts", "0", "a whole number from 1 to 1000000 is expected, was 0"},
      {"attempts", "4294967297", "a whole number from 1 to 1000000 is expected, was 4294967297"},
      {"delay", "soon", "\"soon\" is not a duration"},
      {"delay", "-5", "\"-5\" is not a duration"},
      {"delay", "9999d", "\"9999d\" is over 10 years"}};
  for (const auto& [key, value, message] : wrong) {
    std::vector<std::string> of_query, of_body;
    parse_query_options({{key, value}}, of_query);
    const bool number = std::string_view(value).find_first_not_of("0123456789.-") == std::string_view::npos;
    parse_options(fmt::format(R"({{"{}":{}}})", key, number ? value : json::quote(value)), "options",
                  of_body);
    ASSERT_EQ(of_query.size(), 1U) << key << value;
    EXPECT_EQ(of_query.front().find(fmt::format("{}: {}", key, message)), 0U) << of_query.front();
    if (std::string_view(value) == "-5") continue;  // a number there: its range is checked with the job
    ASSERT_EQ(of_body.size(), 1U) << key << value;
    EXPECT_EQ(of_body.front().find(fmt::format("options.{}: {}", key, message)), 0U) << of_body.front();
  }
}

TEST(AddBody, TakesWholeNumbersInEveryForm) {
  std::vector<std::string> problems;
  const JobOptions options =
      parse_options(R"({"priority":2.0,"attempts":1e1,"delay":5.0})", "options", problems);
  EXPECT_TRUE(problems.empty()) << problems.front();
  EXPECT_EQ(options.priority, 2U);
  EXPECT_EQ(options.attempts, 10U);
  EXPECT_EQ(options.delay, Duration(5));
  parse_options(R"({"priority":1.5,"delay":1.5,"on_fail":{"age":1500}})", "options", problems);
  EXPECT_EQ(
      problems,
      (std::vector<std::string>{
          "options.priority: a whole number from 0 to 2097151 is expected, was 1.5",
          "options.delay: \"1.5\" is not a duration; use milliseconds or a number with ms, s, m, h or d, "
          "such as \"250ms\", \"30s\" or \"1h30m\"",
          "options.on_fail.age: whole seconds are expected, was 1500 ms"}));
}

TEST(Values, ranges_follow_rfc_9110) {
  const auto check = [](std::string_view header, std::uint64_t size) {
    const auto [verdict, range] = parse_range(header, size);
    return std::tuple(verdict, range.offset, range.length);
  };
  using V = RangeVerdict;
  EXPECT_EQ(check("bytes=0-0", 10), std::tuple(V::kPart, 0, 1));
  EXPECT_EQ(check("bytes=5-", 10), std::tuple(V::kPart, 5, 5));
  EXPECT_EQ(check("bytes=5-99", 10), std::tuple(V::kPart, 5, 5));
  EXPECT_EQ(check("bytes=-3", 10), std::tuple(V::kPart, 7, 3));
  EXPECT_EQ(check("bytes=-99", 10), std::tuple(V::kPart, 0, 10));
  EXPECT_EQ(check("bytes=10-", 10), std::tuple(V::kUnsatisfiable, 0, 0));
  EXPECT_EQ(check("bytes=-0", 10), std::tuple(V::kUnsatisfiable, 0, 0));
  for (const char* whole :
       {"bytes=2-1", "bytes=a-b", "bytes=0-1,4-5", "lines=0-1", "bytes=-", "bytes=+1-2", ""}) {
    EXPECT_EQ(check(whole, 10), std::tuple(V::kWhole, 0, 10)) << whole;
  }
}

TEST(Values, times_are_utc) {
  EXPECT_EQ(iso_time(from_ms(1'700'000'000'123)), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(http_date(from_ms(1'700'000'000'123)), "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST(Slices, values_are_found_whatever_texts_contain) {
  const auto array = split_array(R"( [ {"a":"]}"} , "x\\\",", 1.50 ,[[],{}] ] )");
  ASSERT_TRUE(array);
  EXPECT_EQ(*array, (std::vector<std::string_view>{R"({"a":"]}"})", R"("x\\\",")", "1.50", "[[],{}]"}));
  EXPECT_TRUE(split_array("[]")->empty());
  for (const char* bad : {"", "[", "[1", "[1,]", "[,1]", "[1 2]", "[1]x", "{}", "[\"a]", "[[1]"})
    EXPECT_FALSE(split_array(bad)) << bad;
  const auto object = split_object(R"({"a" : 1, "b\"":{"c":2}})");
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)[1], (std::pair<std::string_view, std::string_view>{R"("b\"")", R"({"c":2})"}));
  for (const char* bad : {"{", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}}", "[]"})
    EXPECT_FALSE(split_object(bad)) << bad;
}

TEST(AddBody, options_are_read_with_their_units) {
  const AddBody body = parse_add_body(
      R"({"name":"a","data":[1],"options":{"id":"x","delay":"2s","priority":3,"lifo":true,"attempts":4,
    "backoff":{"type":"exponential","delay":100,"jitter":0.5},"timeout":1500,"queue_timeout":"1m","on_complete":true,
    "on_fail":{"count":3,"age":"1h"},"keep_logs":7,"deduplication":{"id":"d","ttl":"1s"}}})",
      10);
  ASSERT_TRUE(body.problems.empty()) << body.problems.front();
  const NewJob& job = body.jobs.front();
  EXPECT_EQ(job.data, "[1]");
  EXPECT_EQ(job.options.id, JobId("x"));
  EXPECT_EQ(job.options.delay, Duration(2'000));
  EXPECT_EQ(job.options.priority, 3U);
  EXPECT_TRUE(job.options.lifo);
  EXPECT_EQ(job.options.attempts, 4U);
  EXPECT_EQ(job.options.backoff, (Backoff{Backoff::Kind::kExponential, Duration(100), 0.5}));
  EXPECT_EQ(job.options.timeout, Duration(1'500));
  EXPECT_EQ(job.options.queue_timeout, Duration(60'000));
  EXPECT_EQ(job.options.on_complete, (Retention{0, {}}));
  EXPECT_EQ(job.options.on_fail, (Retention{3, std::chrono::seconds(3'600)}));
  EXPECT_EQ(job.options.keep_logs, 7U);
  EXPECT_EQ(job.options.deduplication->id, "d");
}

TEST(AddBody, every_mistake_is_reported_at_once) {
  const AddBody body = parse_add_body(
      R"([{"name":1,"nmae":"a"},{"name":"b","options":{"delay":"soon","colour":1,"lifo":"yes"}},{"data":2}])",
      10);
  EXPECT_EQ(body.problems,
            (std::vector<std::string>{
                "jobs[0].name: a text is expected, was 1",
                "jobs[0].nmae: unknown; known are name, data, options",
                "jobs[1].options.delay: \"soon\" is not a duration; use milliseconds or a number with ms, s, "
                "m, h or d, "
                "such as \"250ms\", \"30s\" or \"1h30m\"",
                "jobs[1].options.colour: unknown; known are id, delay, priority, lifo, attempts, backoff, "
                "timestamp, "
                "timeout, queue_timeout, on_complete, on_fail, keep_logs, stack_trace_limit, deduplication",
                "jobs[1].options.lifo: true or false is expected, was \"yes\"",
                "jobs[2].name: is missing; it names the function to run",
            }));
}

TEST(AddBody, broken_json_is_reported_with_line_and_column) {
  EXPECT_EQ(parse_add_body("{\"name\":\"a\",\n \"data\":{\"x\":1,}}", 10).problems.size(),
            0U);  // checked by Client::problems
  const AddBody broken = parse_add_body("{\"name\":\"a\",\n oops}", 10);
  ASSERT_EQ(broken.problems.size(), 1U);
  EXPECT_TRUE(broken.problems[0].starts_with("body: not JSON: ")) << broken.problems[0];
  EXPECT_NE(broken.problems[0].find("line 2, column 2"), std::string::npos) << broken.problems[0];
  EXPECT_EQ(parse_add_body("[{},{},{}]", 2).problems,
            (std::vector<std::string>{"body: at most 2 jobs in one request, was 3"}));
}

TEST(AddBody, JsonOfAnotherKindIsNotCalledNotJson) {
  const std::string wanted = "an object, like {\"key\": \"value\"}, is expected, was ";
  for (const char* text : {"null", "12", "\"a\""})
    EXPECT_EQ(parse_add_body(text, 10).problems, (std::vector<std::string>{"body: " + wanted + text}));
  EXPECT_EQ(parse_add_body("[null]", 10).problems.at(0), "jobs[0]." + wanted + "null");
}

TEST(Guard, texts_are_compared_whole) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  for (const char* wrong : {"", "s", "secres", "secretsecret", "Secret"})
    EXPECT_FALSE(equal_in_constant_time(wrong, "secret")) << wrong;
  EXPECT_FALSE(equal_in_constant_time("a", ""));
}

TEST(Router, patterns_match_whole_segments) {
  const auto found = [](std::string_view method, std::string_view path) {
    const Match match = find_route(routes(), method, parse_target(path)->segments);
    return match.route != nullptr ? std::string(match.route->pattern) : "- " + match.allow;
  };
  EXPECT_EQ(found("GET", "/v1/queues/q/jobs/a%2Fb"), "/v1/queues/{queue}/jobs/{id}");
  EXPECT_EQ(found("HEAD", "/v1/host"), "/v1/host");
  EXPECT_EQ(found("POST", "/v1/host"), "- GET, HEAD");
  EXPECT_EQ(found("GET", "/v1/queues//jobs"), "- ");
  EXPECT_EQ(found("GET", "/v1/host/"), "- ");
  EXPECT_EQ(found("GET", "/"), "- ");
}

}  // namespace
}  // namespace gaur::http
