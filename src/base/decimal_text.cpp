#include "base/decimal_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace gaur {
namespace {

constexpr std::int64_t kMostExponent = 1'000'000'000'000;
constexpr std::int64_t kMostDigits = 39;  // of 2^128-1

/// The exponent after "e"; nothing if it is not a whole number.
std::optional<std::int64_t> read_exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = std::min(value * 10 + (c - '0'), kMostExponent);
  }
  return negative ? -value : value;
}

}  // namespace

std::optional<DecimalText> read_decimal(std::string_view text) {
  DecimalText number;
  number.negative = text.starts_with('-');
  if (number.negative) text.remove_prefix(1);
  if (const auto mark = text.find_first_of("eE"); mark != std::string_view::npos) {
    const auto exponent = read_exponent(text.substr(mark + 1));
    if (!exponent) return std::nullopt;
    number.exponent = *exponent;
    text = text.substr(0, mark);
  }
  const auto point = text.find('.');
  const auto fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  number.digits = text.substr(0, point);
  number.digits += fraction;
  if (number.digits.empty() || !std::all_of(number.digits.begin(), number.digits.end(), is_digit))
    return std::nullopt;
  number.exponent -= static_cast<std::int64_t>(fraction.size());
  const auto last = number.digits.find_last_not_of('0');
  const auto zeros = last == std::string::npos ? 0 : number.digits.size() - last - 1;
  number.exponent += static_cast<std::int64_t>(zeros);
  number.digits.resize(last == std::string::npos ? 0 : last + 1);
  number.digits.erase(0, number.digits.find_first_not_of('0'));
  if (number.digits.empty()) number.exponent = 0;
  return number;
}

tl::expected<UInt128, Inexact> scaled_magnitude(const DecimalText& number, unsigned scale) {
  if (number.digits.empty()) return UInt128{0};
  const std::int64_t zeros = number.exponent + scale;
  if (zeros < 0) return tl::unexpected(Inexact::kFraction);
  const auto count = static_cast<std::int64_t>(number.digits.size());
  if (count + zeros > kMostDigits) return tl::unexpected(Inexact::kTooLarge);
  constexpr auto kMost = static_cast<UInt128>(-1);
  UInt128 value = 0;
  for (std::int64_t i = 0; i < count + zeros; ++i) {
    const auto digit = static_cast<UInt128>(i < count ? number.digits[static_cast<std::size_t>(i)] - '0' : 0);
    if (value > (kMost - digit) / 10) return tl::unexpected(Inexact::kTooLarge);
    value = value * 10 + digit;
  }
  return value;
}

std::optional<std::int64_t> exact_int64(const DecimalText& number) {
  const auto magnitude = scaled_magnitude(number, 0);
  const auto most =
      static_cast<UInt128>(std::numeric_limits<std::int64_t>::max()) + (number.negative ? 1 : 0);
  if (!magnitude || *magnitude > most) return std::nullopt;
  const auto value = static_cast<Int128>(*magnitude);
  return static_cast<std::int64_t>(number.negative ? -value : value);
}

double nearest_double(std::string_view number) {
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  if (read.ec != std::errc::result_out_of_range) return value;
  const auto decimal =
      read_decimal(number);  // from_chars does not report whether it is too large or too small
  const bool large = decimal && static_cast<std::int64_t>(decimal->digits.size()) + decimal->exponent > 0;
  value = large ? std::numeric_limits<double>::infinity() : 0.0;
  return number.starts_with('-') ? -value : value;
}

bool survives_double(std::string_view number) {
  const auto written = read_decimal(number);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, nearest_double(number)).ptr;
  const auto kept = read_decimal({text, static_cast<std::size_t>(end - text)});
  return written && kept && written->digits == kept->digits && written->exponent == kept->exponent;
}

}  // namespace gaur
