#include "app/config/units.hpp"

#include <gtest/gtest.h>

#include "base/suggest.hpp"

namespace gaur::app {
namespace {

TEST(Durations, are_numbers_with_units) {
  const std::vector<std::pair<std::string, std::int64_t>> cases{
      {"0", 0},          {"250ms", 250},      {"30s", 30'000},      {"10m", 600'000},
      {"2h", 7'200'000}, {"7d", 604'800'000}, {"1h30m", 5'400'000}, {"1d1ms", 86'400'001}};
  for (const auto& [text, ms] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->count(), ms) << text;
  }
}

TEST(Durations, without_a_known_unit_are_refused) {
  for (const char* text :
       {"", "5", "s", "5 s", "-1s", "1.5s", "30m1h", "1s1s", "5sec", "99999999999999999s", "4000d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Durations, are_written_as_they_are_read) {
  for (const char* text : {"250ms", "30s", "1m30s", "2h", "7d", "1d1h1m1s1ms"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
  EXPECT_EQ(format_duration(Duration(90'000)), "1m30s");
}

TEST(Sizes, take_decimal_and_binary_units) {
  const std::vector<std::pair<std::string, std::uint64_t>> cases{{"0", 0},
                                                                 {"100", 100},
                                                                 {"100B", 100},
                                                                 {"64kB", 64'000},
                                                                 {"2GB", 2'000'000'000},
                                                                 {"2 gb", 2'000'000'000},
                                                                 {"1.5GiB", 1'610'612'736},
                                                                 {"512MiB", 536'870'912}};
  for (const auto& [text, bytes] : cases) {
    const auto parsed = parse_size(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(Sizes, that_are_ambiguous_or_absurd_are_refused) {
  for (const char* text : {"", "GB", "2G", "-1GB", "1.GB", "1e9", "9999999TB", "1..5GB", "two GB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Sizes, are_written_exactly) {
  for (const char* text : {"2GB", "256KiB", "32MiB", "1000001B", "0B", "1500MB"}) {
    EXPECT_EQ(format_size(*parse_size(text)), text);
  }
}

TEST(Suggestions, find_the_nearest_word) {
  EXPECT_EQ(nearest("ordre", {"order", "weight"}), "order");
  EXPECT_EQ(nearest("max_wait", {"max_waiting", "max_head_wait"}), "max_waiting");
  EXPECT_EQ(nearest("zzz", {"order", "weight"}), std::nullopt);
  EXPECT_EQ(did_you_mean("zzz", {"order", "weight"}), "; known here: order, weight");
  EXPECT_EQ(did_you_mean("wieght", {"order", "weight"}), "; did you mean \"weight\"?");
}

}  // namespace
}  // namespace gaur::app
