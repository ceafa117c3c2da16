#include "base/number_rule.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gaur {
namespace {

TEST(WholeNumber, IsTheWholeText) {
  struct Row {
    std::string_view text;
    int base;
    std::optional<std::uint64_t> number;
  };
  const std::vector<Row> rows = {{"0", 10, 0},
                                 {"0042", 10, 42},
                                 {"18446744073709551615", 10, UINT64_MAX},
                                 {"18446744073709551616", 10, std::nullopt},
                                 {"", 10, std::nullopt},
                                 {"-5", 10, std::nullopt},
                                 {"+5", 10, std::nullopt},
                                 {" 5", 10, std::nullopt},
                                 {"5 ", 10, std::nullopt},
                                 {"5.0", 10, std::nullopt},
                                 {"ff", 10, std::nullopt},
                                 {"00ff", 16, 255},
                                 {"0xff", 16, std::nullopt}};
  for (const Row& row : rows) EXPECT_EQ(whole_number(row.text, row.base), row.number) << row.text;
}

}  // namespace
}  // namespace gaur
