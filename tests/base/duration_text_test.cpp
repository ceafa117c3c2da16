#include "base/duration_text.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace gaur {
namespace {

TEST(Durations, AreNumbersWithUnits) {
  const std::vector<std::pair<std::string, std::int64_t>> cases{
      {"0", 0},          {"250ms", 250},      {"30s", 30'000},      {"10m", 600'000},
      {"2h", 7'200'000}, {"7d", 604'800'000}, {"1h30m", 5'400'000}, {"1d1ms", 86'400'001}};
  for (const auto& [text, ms] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->count(), ms) << text;
  }
}

TEST(Durations, RejectUnknownUnits) {
  for (const char* text : {"", "5", "s", "5 s", "-1s", "1.5s", "30m1h", "1s1s", "5sec", "99999999999999999s",
                           "3651d", "8760h1d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Durations, AreWrittenAsTheyAreRead) {
  for (const char* text : {"250ms", "30s", "1m30s", "2h", "7d", "1d1h1m1s1ms"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
  EXPECT_EQ(format_duration(Duration(90'000)), "1m30s");
}

TEST(Durations, WithoutAUnitAreMillisecondsWhereAsked) {
  EXPECT_EQ(*parse_duration("5", BareNumber::kMilliseconds), Duration(5));
  EXPECT_EQ(*parse_duration("0", BareNumber::kMilliseconds), Duration(0));
  EXPECT_EQ(*parse_duration("1d", BareNumber::kMilliseconds), Duration(86'400'000));
  for (const char* text : {"", "1h30", "-5", "+5", "1.5", "5 ", "315360000001"})
    EXPECT_FALSE(parse_duration(text, BareNumber::kMilliseconds)) << text;
}

TEST(Durations, AreAcceptedUpToTenYears) {
  EXPECT_EQ(*parse_duration("3650d"), kLongestDuration);
  EXPECT_EQ(parse_duration("3650d1ms").error().message, "\"3650d1ms\" is over 10 years (315360000000 ms)");
}

TEST(Durations, ReportTheRuleWhenInvalid) {
  EXPECT_EQ(
      parse_duration("5").error().message,
      "\"5\" is not a duration; use a number with ms, s, m, h or d, such as \"250ms\", \"30s\" or \"1h30m\"");
}

}  // namespace
}  // namespace gaur
