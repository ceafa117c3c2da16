#include "app/config/units.hpp"

#include <gtest/gtest.h>

#include "base/suggest.hpp"

namespace gaur::app {
namespace {

TEST(Sizes, AcceptDecimalAndBinaryUnits) {
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

TEST(Sizes, RejectAmbiguousAndTooLargeValues) {
  for (const char* text : {"", "GB", "2G", "-1GB", "1.GB", "1e9", "9999999TB", "1..5GB", "two GB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Sizes, AreFormattedExactly) {
  for (const char* text : {"2GB", "256KiB", "32MiB", "1000001B", "0B", "1500MB"}) {
    EXPECT_EQ(format_size(*parse_size(text)), text);
  }
}

TEST(Suggestions, FindTheNearestWord) {
  EXPECT_EQ(nearest("ordre", {"order", "weight"}), "order");
  EXPECT_EQ(nearest("max_wait", {"max_waiting", "max_head_wait"}), "max_waiting");
  EXPECT_EQ(nearest("zzz", {"order", "weight"}), std::nullopt);
  EXPECT_EQ(did_you_mean("zzz", {"order", "weight"}), "; known here: order, weight");
  EXPECT_EQ(did_you_mean("wieght", {"order", "weight"}), "; did you mean \"weight\"?");
}

}  // namespace
}  // namespace gaur::app
