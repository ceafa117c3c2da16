// JSON objects, times, Prometheus text and truncation.
#include <gtest/gtest.h>

#include "base/item_list.hpp"
#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/prometheus_text.hpp"
#include "base/time_text.hpp"
#include "base/utf8.hpp"

namespace gaur {
namespace {

TEST(ObjectWriter, WritesMembersInOrder) {
  const std::string text = json::object([](json::ObjectWriter& out) {
    out.text("name", "a \"b\"\n")
        .number("count", 3)
        .number("share", 0.5)
        .flag("ready", true)
        .raw("data", "[1]");
    out.json("result", json::Fragment::read_or_quote("not json"));
    out.list("ids", std::vector<int>{1, 2}, [](std::string& to, int id) { to += std::to_string(id); });
  });
  EXPECT_EQ(
      text,
      R"({"name":"a \"b\"\n","count":3,"share":0.5,"ready":true,"data":[1],"result":"not json","ids":[1,2]})");
  EXPECT_EQ(json::object([](json::ObjectWriter&) {}), "{}");
}

TEST(ObjectWriter, WritesNestedObjectsAndForeignKeys) {
  const std::string text = json::object([](json::ObjectWriter& out) {
    out.object("empty", [](json::ObjectWriter&) {});
    out.object("one", [](json::ObjectWriter& inner) { inner.number("n", 1); }).member("a \"b\"\n", "[1]");
    out.objects("all", std::vector<int>{1, 2},
                [](json::ObjectWriter& inner, int n) { inner.number("n", n); });
    out.list("texts", std::vector<std::string>{"a", "\xFF"}, json::append_quoted);
  });
  EXPECT_EQ(text, R"({"empty":{},"one":{"n":1},"a \"b\"\n":[1],"all":[{"n":1},{"n":2}],"texts":["a","�"]})");
}

TEST(HasItem, ComparesWholeItems) {
  EXPECT_TRUE(has_item("wait priority delay", " ", "wait"));
  EXPECT_TRUE(has_item("a, b c, d", ", ", "b c"));
  EXPECT_TRUE(has_item("a, b c, d", ", ", "d"));
  EXPECT_FALSE(has_item("a, b c, d", ", ", "b"));
  EXPECT_FALSE(has_item("", " ", ""));
}

TEST(WithMember, AppendsAndKeepsAllOtherBytes) {
  EXPECT_EQ(json::with_member("{}", "b", "[2]"), R"({"b":[2]})");
  EXPECT_EQ(json::with_member("{ \n}", "b", "2"), "{ \n\"b\":2}");
  EXPECT_EQ(json::with_member(R"( {"a":{} } )", "b", "2"), R"( {"a":{} ,"b":2} )");
}

TEST(IsoTime, IsUtcWithMilliseconds) {
  EXPECT_EQ(iso_time(from_ms(1'795'339'800'123)), "2026-11-22T09:30:00.123Z");
  EXPECT_EQ(iso_time_seconds(from_ms(1'795'339'800'999)), "2026-11-22T09:30:00Z");
  EXPECT_EQ(iso_time(from_ms(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(PrometheusText, EscapesLabels) {
  std::string out;
  prometheus::append_gauge(out, "gaur_jobs", "Jobs.", {{{{"queue", "a\"b\\c\n"}}, 2.0}, {{}, 0.5}});
  EXPECT_EQ(out,
            "# HELP gaur_jobs Jobs.\n# TYPE gaur_jobs gauge\ngaur_jobs{queue=\"a\\\"b\\\\c\\n\"} "
            "2\ngaur_jobs 0.5\n");
}

TEST(Shortened, KeepsWholeCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("가나다", 4), "가...");
}

}  // namespace
}  // namespace gaur
