// Comparison of results: every kind of difference, and no difference between equal results.
#include "app/shadow/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gaur::app {
namespace {

using Kind = DifferenceKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Comparison compare(const std::string& expected, const std::string& actual) {
  return compare_json(*json::parse(expected), *json::parse(actual));
}

struct Row {
  std::string expected, actual;
  std::map<Kind, std::uint64_t> kinds;
};

TEST(Compare, FindsEveryKindOfDifference) {
  const std::vector<Row> rows{
      {"1", "1", {}},
      {"1", "1.0", {}},
      {R"({"a":1,"b":2})", R"({"b":2,"a":1})", {}},
      {"null", "null", {}},
      {R"("12")", "12", {{Kind::kType, 1}}},
      {R"("1e2")", "100", {{Kind::kType, 1}}},
      {R"("12")", "13", {{Kind::kValue, 1}}},
      {"true", R"("true")", {{Kind::kType, 1}}},
      {"1", "true", {{Kind::kType, 1}}},
      {"2", "true", {{Kind::kValue, 1}}},
      {"null", "0", {{Kind::kValue, 1}}},
      {"null", R"("")", {{Kind::kValue, 1}}},
      {"0.1", "0.10000000000000002", {{Kind::kFloat, 1}}},
      {"1000000.1", "1000000.1000001", {{Kind::kFloat, 1}}},
      {"0.1", "0.1001", {{Kind::kValue, 1}}},
      {"9007199254740993", "9007199254740992", {{Kind::kValue, 1}}},
      {R"("12.50")", R"("12.5")", {{Kind::kFloat, 1}}},
      {R"("0012")", R"("12")", {{Kind::kValue, 1}}},
      {R"({"a":null})", "{}", {{Kind::kNullMissing, 1}}},
      {"{}", R"({"a":null})", {{Kind::kNullMissing, 1}}},
      {R"({"a":1})", "{}", {{Kind::kMissingKey, 1}}},
      {"{}", R"({"a":1})", {{Kind::kNewKey, 1}}},
      {"[1,2]", "[1,2,3]", {{Kind::kLength, 1}}},
      {"[1,2,3]", "[3,1,2]", {{Kind::kOrder, 1}}},
      {"[1,2,3]", "[3,1,4]", {{Kind::kValue, 3}}},
      {"[1]", R"({"rows":[1]})", {{Kind::kShape, 1}}},
      {"[]", "{}", {{Kind::kShape, 1}}},
      {R"("2026-01-01T00:00:00.000Z")", R"("2026-01-01T09:00:00.000Z")", {{Kind::kTimeZone, 1}}},
      {R"("2026-01-01T00:00:00Z")", R"("2026-01-01 05:45:00")", {{Kind::kTimeZone, 1}}},
      {R"("2026-01-01")", R"("2025-12-31")", {{Kind::kTimeZone, 1}}},
      {R"("2026-01-01")", R"("2025-12-31T15:00:00.000Z")", {{Kind::kTimeZone, 1}}},
      {R"("2026-01-01T00:00:00Z")", R"("2026-01-01T00:07:00Z")", {{Kind::kValue, 1}}},
      {R"("2026-01-01T00:00:00Z")", R"("2026-01-03T00:00:00Z")", {{Kind::kValue, 1}}},
      {R"("2026-01-01T09:00:00+09:00")", R"("2026-01-01 00:00:00")", {{Kind::kTimeFormat, 1}}},
      {"1767225600000", R"("2026-01-01T00:00:00.000Z")", {{Kind::kType, 1}}},
      {R"("서울")", R"("부산")", {{Kind::kValue, 1}}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(compare(row.expected, row.actual).count, row.kinds) << row.expected << " and " << row.actual;
  }
}

TEST(Compare, ReorderedRowsAreAlsoComparedOneByOne) {
  const Comparison found = compare(R"([{"k":"a","n":"1","x":0.3},{"k":"b","n":"2","x":0.5}])",
                                   R"([{"k":"b","n":2,"x":0.5},{"k":"a","n":1,"x":0.30000000000000004}])");
  EXPECT_THAT(found.count, ElementsAre(Pair(Kind::kOrder, 1), Pair(Kind::kFloat, 1), Pair(Kind::kType, 2)));
  EXPECT_EQ(found.shown[0].note, "from element 0");
  EXPECT_TRUE(found.acceptable({Kind::kOrder, Kind::kFloat, Kind::kType}));
  EXPECT_FALSE(found.acceptable({Kind::kOrder, Kind::kFloat}));
}

TEST(Compare, PathsAndBothValuesAreShown) {
  const Comparison found =
      compare(R"({"rows":[{"day":"2026-01-01T00:00:00Z"},{"day":"2026-01-02T00:00:00Z"}]})",
              R"({"rows":[{"day":"2026-01-01T00:00:00Z"},{"day":"2026-01-02T09:00:00Z"}]})");
  ASSERT_EQ(found.shown.size(), 1U);
  EXPECT_EQ(found.shown[0], (Difference{Kind::kTimeZone, "rows[1].day", R"("2026-01-02T00:00:00Z")",
                                        R"("2026-01-02T09:00:00Z")", "shifted by +9 h"}));
}

TEST(Compare, ReportsAMissingRow) {
  const Comparison found = compare(R"([{"k":1},{"k":2},{"k":3}])", R"([{"k":3},{"k":1}])");
  ASSERT_EQ(found.shown.size(), 1U);
  EXPECT_EQ(found.shown[0].expected, R"({"k":2})");
  EXPECT_EQ(found.shown[0].actual, "");
  EXPECT_EQ(found.shown[0].note, "3 elements, now 2");
}

TEST(Compare, CountsAllDifferencesAndKeepsTheFirst) {
  std::string one = "[";
  std::string two = "[";
  for (int i = 0; i < 1000; ++i) {
    one += (i != 0 ? "," : "") + std::to_string(i);
    two += (i != 0 ? "," : "") + ("\"" + std::to_string(i) + "\"");
  }
  const Comparison found = compare(one + "]", two + "]");
  EXPECT_THAT(found.count, ElementsAre(Pair(Kind::kType, 1000)));
  EXPECT_EQ(found.shown.size(), CompareOptions{}.show);
}

TEST(Compare, CutsLongValuesBetweenCharacters) {
  std::string korean;
  for (int i = 0; i < 200; ++i) korean += "가";
  const Comparison found = compare("\"" + korean + "\"", "1");
  EXPECT_LE(found.shown[0].expected.size(), 120U);
  EXPECT_TRUE(json::is_utf8(found.shown[0].expected));
}

TEST(Compare, WrappedRowsComeWithAdvice) {
  const Comparison found = compare(R"([{"k":1}])", R"({"rows":[{"k":1}],"schema":[]})");
  EXPECT_THAT(found.shown[0].note, HasSubstr("envelope = false"));
}

TEST(Compare, ParsesTheNamesOfKinds) {
  for (const Kind kind :
       {Kind::kOrder, Kind::kTimeZone, Kind::kTimeFormat, Kind::kFloat, Kind::kType, Kind::kNullMissing,
        Kind::kMissingKey, Kind::kNewKey, Kind::kLength, Kind::kShape, Kind::kValue}) {
    EXPECT_EQ(parse_difference(to_string(kind)), kind);
  }
  EXPECT_EQ(parse_difference("orders"), std::nullopt);
  EXPECT_THAT(Comparison{}.shown, IsEmpty());
  EXPECT_TRUE(Comparison{}.equal());
}

TEST(Times, ParsesTheCommonForms) {
  struct Case {
    std::string text;
    std::optional<std::int64_t> ms;
  };
  for (const Case& row :
       {Case{"1970-01-01", 0}, Case{"1970-01-02T00:00:01.5Z", 86'401'500}, Case{"1970-01-01 09:00:00+09", 0},
        Case{"1970-01-01T00:00:00-0130", 5'400'000}, Case{"2024-02-29T12:00:00.123456", 1'709'208'000'123},
        Case{"2023-02-29", std::nullopt}, Case{"2026-13-01", std::nullopt}, Case{"2026-01-01T", std::nullopt},
        Case{"2026-01-01T25:00", std::nullopt}, Case{"2026-01-01T10:00:00.Z", std::nullopt},
        Case{"20260101", std::nullopt}, Case{"", std::nullopt}, Case{"-026-01-01", std::nullopt}}) {
    EXPECT_EQ(read_time(row.text), row.ms) << row.text;
  }
}

}  // namespace
}  // namespace gaur::app
