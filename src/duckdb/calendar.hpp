#pragma once
// Days and microseconds against the proleptic Gregorian calendar, for the whole range of DuckDB's dates (the
// library's calendar types end at year 32767), and ISO-8601 text in both directions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gaur::duckdb {

struct CivilDate {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
};
CivilDate civil_from_days(std::int64_t days);
std::int64_t days_from_civil(const CivilDate& date);

/// "2026-11-22"; years outside 0 to 9999 with a sign and six digits at least, as ECMAScript writes them.
void append_date(std::string& out, std::int64_t days);
/// "12:34:56", then "." and the fraction without its last zeros, if it is not 0. `unit`: parts of a second.
void append_time(std::string& out, std::int64_t ticks, std::int64_t unit);
/// "2026-11-22T12:34:56.5" from ticks since 1970.
void append_timestamp(std::string& out, std::int64_t ticks, std::int64_t unit);

/// Whether a time zone is rejected or required.
enum class Zone { kNone, kNeeded };

// Ranges and infinities are DuckDB's. Fractions of a second have up to six digits, trailing zeros are
// allowed.
/// Days since 1970 of "2026-11-22", "-000043-03-15", "0044-03-15 (BC)", "infinity" or "-infinity".
std::optional<std::int32_t> read_date(std::string_view text);
/// Microseconds since midnight of "hh:mm[:ss[.ffffff]]", up to "24:00:00".
std::optional<std::int64_t> read_time(std::string_view text);
/// Microseconds since 1970 of a date, "T" or a space, and a time, with "Z", "+09", "+0900", "+09:00" or
/// "+09:00:00" as `zone` says. A date alone is midnight where no zone is needed. Also "infinity",
/// "-infinity".
std::optional<std::int64_t> read_timestamp(std::string_view text, Zone zone);

}  // namespace gaur::duckdb
