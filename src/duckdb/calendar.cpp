#include "duckdb/calendar.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace gaur::duckdb {
namespace {

constexpr std::int64_t kDaysAn400Years = 146097;
constexpr std::int64_t kDayMicros = 86'400'000'000;

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

std::optional<std::int32_t> eat_date(std::string_view& text) {
  const auto year = number(text, 4);
  if (!year || !eat(text, '-')) return std::nullopt;
  const auto month = number(text, 2);
  if (!month || !eat(text, '-')) return std::nullopt;
  const auto day = number(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  const CivilDate date{static_cast<std::int64_t>(*year), *month, *day};
  const auto days = days_from_civil(date);
  const auto back = civil_from_days(days);  // 31 April comes back as 1 May
  if (back.month != date.month || back.day != date.day) return std::nullopt;
  return static_cast<std::int32_t>(days);
}

/// hh:mm[:ss[.ffffff]] in microseconds.
std::optional<std::int64_t> eat_time(std::string_view& text) {
  const auto hour = number(text, 2);
  if (!hour || !eat(text, ':')) return std::nullopt;
  const auto minute = number(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  std::int64_t micros = (std::int64_t{*hour} * 60 + *minute) * 60'000'000;
  if (!eat(text, ':')) return micros;
  const auto second = number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  micros += std::int64_t{*second} * 1'000'000;
  if (!eat(text, '.')) return micros;
  std::int64_t scale = 100'000;
  std::size_t digits = 0;
  for (; digits < 6; ++digits, scale /= 10) {
    const auto digit = number(text, 1);
    if (!digit) break;
    micros += *digit * scale;
  }
  return digits == 0 ? std::nullopt : std::optional(micros);
}

/// Z or +hh:mm, in microseconds east of UTC.
std::optional<std::int64_t> eat_zone(std::string_view& text) {
  if (eat(text, 'Z')) return 0;
  const bool west = text.starts_with('-');
  if (!eat(text, west ? '-' : '+')) return std::nullopt;
  const auto hours = number(text, 2);
  if (!hours || *hours > 15) return std::nullopt;
  eat(text, ':');
  const auto minutes = text.empty() ? std::optional(0U) : number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const auto east = (std::int64_t{*hours} * 60 + *minutes) * 60'000'000;
  return west ? -east : east;
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
  const auto days = eat_date(text);
  return text.empty() ? days : std::nullopt;
}

std::optional<std::int64_t> read_timestamp(std::string_view text, Zone zone) {
  const auto days = eat_date(text);
  if (!days) return std::nullopt;
  std::int64_t micros = *days * kDayMicros;
  if (text.empty()) return zone == Zone::kNone ? std::optional(micros) : std::nullopt;
  if (!eat(text, 'T') && !eat(text, ' ')) return std::nullopt;
  const auto time = eat_time(text);
  if (!time) return std::nullopt;
  micros += *time;
  if (zone == Zone::kNeeded) {
    const auto east = eat_zone(text);
    if (!east) return std::nullopt;
    micros -= *east;
  }
  return text.empty() ? std::optional(micros) : std::nullopt;
}

}  // namespace gaur::duckdb
