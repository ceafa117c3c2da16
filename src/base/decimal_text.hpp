#pragma once
// Numbers in decimal notation, converted exactly. Every conversion either keeps the value or says why it
// cannot. The work is linear in the length of the text, whatever its exponent. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace gaur {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

/// In ASCII, whatever the locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A decimal number as it was written: digits × 10^exponent.
struct DecimalText {
  bool negative = false;
  /// Without leading and trailing zeros; empty: zero.
  std::string digits;
  /// Limited to ±10^12, far beyond what the longest text can compensate.
  std::int64_t exponent = 0;
};

/// Reads "-12.50", "1e3" and the like: JSON's notation, with leading zeros and a bare point also allowed.
std::optional<DecimalText> read_decimal(std::string_view text);

enum class Inexact {
  /// More decimal places than the scale keeps.
  kFraction,
  /// More than 2^128-1.
  kTooLarge
};
/// |number| × 10^scale as a whole number.
tl::expected<UInt128, Inexact> scaled_magnitude(const DecimalText& number, unsigned scale);

/// The number, or nothing where it has a fraction or is outside of int64_t.
std::optional<std::int64_t> exact_int64(const DecimalText& number);

/// The nearest double of a number in JSON's notation; beyond the range infinity, too small for it zero.
double nearest_double(std::string_view number);

/// Whether a number in JSON's notation is the shortest text of its nearest double, zeros aside: 0.1 is,
/// 0.10000000000000001 and 12345678901234.5678 are not.
bool survives_double(std::string_view number);

}  // namespace gaur
