#include "duckdb/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/decimal_text.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::int64_t kDaysAn400Years = 146097;
constexpr std::int64_t kDayMicros = 86'400'000'000;
constexpr std::int32_t kInfiniteDay = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kInfiniteMicros = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kFirstMicros = -9'223'372'022'400'000'000;  // of DuckDB: the first whole day

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

/// Reads exactly `digits` digits.
std::optional<unsigned> number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool eat(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// The year with its sign: four digits, or up to seven.
std::optional<std::int64_t> eat_year(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits < 4 || digits > 7) return std::nullopt;
  const auto year = static_cast<std::int64_t>(*number(text, digits));
  return negative ? -year : year;
}

std::optional<std::int32_t> eat_date(std::string_view& text) {
  auto year = eat_year(text);
  if (!year || !eat(text, '-')) return std::nullopt;
  const auto month = number(text, 2);
  if (!month || !eat(text, '-')) return std::nullopt;
  const auto day = number(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  constexpr std::string_view kBeforeChrist = " (BC)";  // as DuckDB writes it: there is no year 0
  if (text.starts_with(kBeforeChrist)) {
    text.remove_prefix(kBeforeChrist.size());
    if (*year < 1) return std::nullopt;
    year = 1 - *year;
  }
  const CivilDate date{*year, *month, *day};
  const auto days = days_from_civil(date);
  const auto back = civil_from_days(days);  // 31 April comes back as 1 May
  if (back.month != date.month || back.day != date.day) return std::nullopt;
  if (days >= kInfiniteDay || days <= -kInfiniteDay) return std::nullopt;
  return static_cast<std::int32_t>(days);
}

/// ".123456" in microseconds; none is 0.
std::optional<std::int64_t> eat_fraction(std::string_view& text) {
  if (!eat(text, '.')) return 0;
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return std::nullopt;
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < std::max<std::size_t>(digits, 6); ++i) {
    const int digit = i < digits ? text[i] - '0' : 0;
    if (i < 6) micros = micros * 10 + digit;
    if (i >= 6 && digit != 0) return std::nullopt;
  }
  text.remove_prefix(digits);
  return micros;
}

/// hh:mm[:ss[.ffffff]] in microseconds, up to 24:00:00.
std::optional<std::int64_t> eat_time(std::string_view& text) {
  const auto hour = number(text, 2);
  if (!hour || !eat(text, ':')) return std::nullopt;
  const auto minute = number(text, 2);
  if (!minute || *hour > 24 || *minute > 59) return std::nullopt;
  std::int64_t micros = (std::int64_t{*hour} * 60 + *minute) * 60'000'000;
  if (eat(text, ':')) {
    const auto second = number(text, 2);
    const auto fraction = second ? eat_fraction(text) : std::nullopt;
    if (!fraction || *second > 59) return std::nullopt;
    micros += std::int64_t{*second} * 1'000'000 + *fraction;
  }
  return micros <= kDayMicros ? std::optional(micros) : std::nullopt;
}

/// Z, +hh, +hhmm, +hh:mm or +hh:mm:ss, in microseconds east of UTC.
std::optional<std::int64_t> eat_zone(std::string_view& text) {
  if (eat(text, 'Z')) return 0;
  const bool west = text.starts_with('-');
  if (!eat(text, west ? '-' : '+')) return std::nullopt;
  const auto hours = number(text, 2);
  if (!hours || *hours > 15) return std::nullopt;
  const bool colon = eat(text, ':');
  const auto minutes = text.empty() && !colon ? std::optional(0U) : number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const auto seconds = colon && eat(text, ':') ? number(text, 2) : std::optional(0U);
  if (!seconds || *seconds > 59) return std::nullopt;
  const auto east = (std::int64_t{*hours} * 3600 + *minutes * 60 + *seconds) * 1'000'000;
  return west ? -east : east;
}

/// 1 for "infinity", -1 for "-infinity", else 0.
int infinity_sign(std::string_view text) {
  return text == "infinity" ? 1 : text == "-infinity" ? -1 : 0;
}

}  // namespace

CivilDate civil_from_days(std::int64_t days) {
  // Eras of 400 years that begin on 1 March, so that the leap day is the last of its year.
  days += 719468;
  const std::int64_t era = floor_divide(days, kDaysAn400Years);
  const std::int64_t of_era = days - era * kDaysAn400Years;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t from_march = (5 * of_year + 2) / 153;
  const auto day = static_cast<unsigned>(of_year - (153 * from_march + 2) / 5 + 1);
  const auto month = static_cast<unsigned>(from_march < 10 ? from_march + 3 : from_march - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

std::int64_t days_from_civil(const CivilDate& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_divide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const std::int64_t of_year = (153 * from_march + 2) / 5 + date.day - 1;
  return era * kDaysAn400Years + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719468;
}

void append_date(std::string& out, std::int64_t days) {
  const auto date = civil_from_days(days);
  const bool plain = date.year >= 0 && date.year <= 9999;
  if (plain) {
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", date.year, date.month, date.day);
  } else {
    fmt::format_to(std::back_inserter(out), "{}{:06}-{:02}-{:02}", date.year < 0 ? '-' : '+',
                   std::abs(date.year), date.month, date.day);
  }
}

void append_time(std::string& out, std::int64_t ticks, std::int64_t unit) {
  const std::int64_t seconds = ticks / unit;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  std::int64_t fraction = ticks % unit;
  if (fraction == 0) return;
  out += '.';
  for (std::int64_t scale = unit / 10; fraction != 0; scale /= 10) {
    out += static_cast<char>('0' + fraction / scale);
    fraction %= scale;
  }
}

void append_timestamp(std::string& out, std::int64_t ticks, std::int64_t unit) {
  const std::int64_t a_day = 86400 * unit;
  const std::int64_t days = floor_divide(ticks, a_day);
  append_date(out, days);
  out += 'T';
  append_time(out, ticks - days * a_day, unit);
}

std::optional<std::int32_t> read_date(std::string_view text) {
  if (const int sign = infinity_sign(text); sign != 0) return sign * kInfiniteDay;
  const auto days = eat_date(text);
  return text.empty() ? days : std::nullopt;
}

std::optional<std::int64_t> read_time(std::string_view text) {
  const auto micros = eat_time(text);
  return text.empty() ? micros : std::nullopt;
}

std::optional<std::int64_t> read_timestamp(std::string_view text, Zone zone) {
  if (const int sign = infinity_sign(text); sign != 0) return sign * kInfiniteMicros;
  const auto days = eat_date(text);
  if (!days) return std::nullopt;
  Int128 micros = Int128{*days} * kDayMicros;
  if (!text.empty()) {
    if (!eat(text, 'T') && !eat(text, ' ')) return std::nullopt;
    const auto time = eat_time(text);
    const auto east = zone == Zone::kNeeded ? eat_zone(text) : std::optional<std::int64_t>(0);
    if (!time || !east) return std::nullopt;
    micros += *time - *east;
  } else if (zone == Zone::kNeeded) {
    return std::nullopt;
  }
  if (!text.empty() || micros < kFirstMicros || micros >= kInfiniteMicros) return std::nullopt;
  return static_cast<std::int64_t>(micros);
}

}  // namespace gaur::duckdb
