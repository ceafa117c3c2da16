#pragma once
// The text forms of single values (docs/reference/duckdb.md): exact, and for doubles the same characters as
// ECMAScript. Thread-safety: pure functions.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/decimal_text.hpp"

namespace gaur::duckdb {

/// A JSON string literal, escaped as JSON.stringify does. `text` is valid UTF-8, as DuckDB guarantees:
/// without that check it is 1.5 times as fast as json::append_quoted() for Korean text, and it runs for each
/// value of a result.
void append_json_text(std::string& out, std::string_view text);
/// The shortest digits that parse to the same number, in the format of ECMAScript's Number::toString; -0 as
/// "-0".
void append_double(std::string& out, double value);
void append_float(std::string& out, float value);
/// |number| with all its digits, in the same format.
void append_digits(std::string& out, const DecimalText& number);
void append_unsigned(std::string& out, UInt128 value);
void append_signed(std::string& out, Int128 value);
/// `scaled` / 10^scale with all its digits: "-0.10".
void append_decimal(std::string& out, Int128 scaled, unsigned scale);
/// DuckDB's stored form of BIGNUM: three bytes of header, then the magnitude, big-endian; inverted if
/// negative.
void append_bignum(std::string& out, std::span<const std::uint8_t> stored);
void append_base64(std::string& out, std::span<const std::uint8_t> bytes);
/// Stored form of BIT: one byte with the count of padding bits, then the bits.
void append_bits(std::string& out, std::span<const std::uint8_t> stored);
void append_uuid(std::string& out, UInt128 stored);
/// ISO-8601 duration: "P1Y2M3DT4H5M6.5S"; each part has its own sign; an empty interval is "PT0S".
void append_interval(std::string& out, std::int32_t months, std::int32_t days, std::int64_t micros);
/// "12:34:56+09:00" from DuckDB's packed TIMETZ.
void append_time_tz(std::string& out, std::uint64_t packed);

}  // namespace gaur::duckdb
