#pragma once
// Parses values of types other than numbers and times. Each function returns nothing for an invalid text.
// Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/decimal_text.hpp"

namespace gaur::duckdb {

/// DuckDB's INTERVAL.
struct Interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t micros = 0;
  /// DuckDB compares intervals so: a month has 30 days, a day 24 hours.
  Int128 comparable() const;
};

/// "P1Y2M3W4DT5H6M7.5S" with a sign before each number or before the P, or "3 days", "1 year -2 months",
/// "1 day 04:05:06.7". Only seconds may have a fraction, of up to six digits.
std::optional<Interval> read_interval(std::string_view text);

/// The bytes of base64 (RFC 4648, section 4), padded.
std::optional<std::string> read_base64(std::string_view text);

/// "f0112233-4455-6677-8899-aabbccddeeff", in either case, also without the hyphens.
std::optional<UInt128> read_uuid(std::string_view text);

}  // namespace gaur::duckdb
