#include "base/decimal_text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include "base/json.hpp"

namespace gaur {
namespace {

std::string scaled(std::string_view text, unsigned scale) {
  const auto number = read_decimal(text);
  if (!number) return "not a number";
  const auto value = scaled_magnitude(*number, scale);
  if (!value) return value.error() == Inexact::kFraction ? "fraction" : "too large";
  std::string digits;
  for (UInt128 rest = *value; rest != 0 || digits.empty(); rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  return (number->negative ? "-" : "") + digits;
}

TEST(DecimalText, ConvertsExactlyOrReportsWhyNot) {
  struct Case {
    std::string text;
    unsigned scale;
    std::string expected;
  };
  const std::string million(1'000'000, '0');
  for (const auto& [text, scale, expected] : std::vector<Case>{
           {"0", 0, "0"},
           {"-0", 0, "-0"},
           {"0e999999999999999999999", 0, "0"},
           {"9007199254740993.0", 0, "9007199254740993"},
           {"1e3", 0, "1000"},
           {"1.50e1", 0, "15"},
           {"1.5", 0, "fraction"},
           {"1e-1", 0, "fraction"},
           {"12345678901234.5678", 4, "123456789012345678"},
           {"12345678901234.56780", 4, "123456789012345678"},
           {"12345678901234.56781", 4, "fraction"},
           {"0012.30", 2, "1230"},
           {".5", 1, "5"},
           {"5.", 1, "50"},
           {"18446744073709551615", 0, "18446744073709551615"},
           {"340282366920938463463374607431768211455", 0, "340282366920938463463374607431768211455"},
           {"340282366920938463463374607431768211456", 0, "too large"},
           {"999999999999999999999999999999999999999", 0, "too large"},
           {"1e39", 0, "too large"},
           {"1E400", 0, "too large"},
           {"1e99999999999999999999999999", 2, "too large"},
           {"1e-99999999999999999999999999", 2, "fraction"},
           {"1" + million + "e-1000000", 0, "1"},
           {"0." + million + "1e1000001", 0, "1"},
           {"", 0, "not a number"},
           {"-", 0, "not a number"},
           {".", 0, "not a number"},
           {"+1", 0, "not a number"},
           {"--1", 0, "not a number"},
           {"1e", 0, "not a number"},
           {"1e1.5", 0, "not a number"},
           {"1.2.3", 0, "not a number"},
           {" 1", 0, "not a number"},
           {"0x10", 0, "not a number"},
           {"1_000", 0, "not a number"},
           {"inf", 0, "not a number"},
       }) {
    EXPECT_EQ(scaled(text, scale), expected) << text.substr(0, 60);
  }
}

TEST(DecimalText, Int64HasItsExactRange) {
  EXPECT_EQ(exact_int64(*read_decimal("9223372036854775807")), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(exact_int64(*read_decimal("-9223372036854775808")), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(exact_int64(*read_decimal("9223372036854775808")), std::nullopt);
  EXPECT_EQ(exact_int64(*read_decimal("-9223372036854775809")), std::nullopt);
  EXPECT_EQ(exact_int64(*read_decimal("0.5")), std::nullopt);
}

TEST(DecimalText, DoublesBeyondTheRangeAreInfiniteAndThoseBelowZero) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(nearest_double("1e309"), kInfinity);
  EXPECT_EQ(nearest_double("-1e309"), -kInfinity);
  EXPECT_EQ(nearest_double("1e99999999999999999999999"), kInfinity);
  EXPECT_EQ(nearest_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(nearest_double("-1e-400")));
  EXPECT_TRUE(std::signbit(nearest_double("-0")));
  EXPECT_EQ(nearest_double("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(nearest_double("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(nearest_double("18446744073709551616"), 18446744073709551616.0);
}

/// Any finite double, all exponents alike.
double random_double(std::mt19937_64& random) {
  while (true) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) return value;
  }
}

TEST(Json, DoublesAreReadAndWrittenBitForBit) {
  const auto seen =
      json::parse("[95.82093798396099, -0.0, -0, 0.30000000000000004, 2.2250738585072011e-308]");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->at(0).as_double(), 95.82093798396099);
  EXPECT_TRUE(std::signbit(seen->at(1).as_double()));
  EXPECT_TRUE(std::signbit(seen->at(2).as_double()));
  EXPECT_EQ(seen->at(3).as_double(), 0.1 + 0.2);
  EXPECT_EQ(seen->at(4).as_double(), 2.2250738585072011e-308);
  std::mt19937_64 random(20261128);
  std::size_t wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    // as a user's data looks, and every bit pattern
    const double value =
        i % 2 == 0 ? std::uniform_real_distribution<double>(-1000, 1000)(random) : random_double(random);
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    const auto read = json::parse({text, static_cast<std::size_t>(end - text)});
    ASSERT_TRUE(read);
    const double got = read->to_number<double>();
    const auto again = json::parse(json::serialize(*read));
    wrong += std::bit_cast<std::uint64_t>(got) == std::bit_cast<std::uint64_t>(value) &&
                     std::bit_cast<std::uint64_t>(again->to_number<double>()) ==
                         std::bit_cast<std::uint64_t>(value)
                 ? 0
                 : 1;
  }
  EXPECT_EQ(wrong, 0U) << "of 100000 doubles";
}

}  // namespace
}  // namespace gaur
