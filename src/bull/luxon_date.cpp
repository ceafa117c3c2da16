// Dates as luxon reads them for cron-parser: ISO 8601, then RFC 2822, then SQL.
#include <array>
#include <cmath>
#include <limits>
#include <regex>

#include "bull/dates.hpp"

namespace gaur::bull {

namespace {

constexpr std::size_t kLongestText = 64;  // std::regex recurses
constexpr double kLatestMs = 8.64e15;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Hour, minute, second, fraction; then Z or the hour and minute of the offset; the name of a zone.
constexpr const char* kTime = R"((?:(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,30}))?)?)?))";
constexpr const char* kOffset = R"((?:([Zz])|([+-]\d\d)(?::?(\d\d))?))";
constexpr const char* kName = R"(([A-Za-z_+-]{1,64}(?::?/[A-Za-z0-9_+-]{1,64}(?:/[A-Za-z0-9_+-]{1,64})?)?))";

using Match = std::smatch;

int number(const Match& match, std::size_t group, int default_value) {
  return match[group].matched ? std::stoi(match[group].str()) : default_value;
}

/// ms of a checked civil time in `zone`.
std::optional<double> instant(const schedule::Civil& civil, const schedule::Zone& zone, std::int64_t now_ms) {
  const bool midnight = civil.hour == 24 && civil.minute == 0 && civil.second == 0 && civil.ms == 0;
  if (civil.month < 1 || civil.month > 12 || civil.day < 1 ||
      civil.day > schedule::days_in_month(civil.year, civil.month) || (civil.hour > 23 && !midnight) ||
      civil.minute > 59 || civil.second > 59)
    return std::nullopt;
  return static_cast<double>(
      schedule::ZonedTime::of_local(zone, schedule::to_local_ms(civil), zone.offset_s(now_ms)).utc_ms());
}

/// Groups from `from` on: hour, minute, second, fraction.
void read_time(const Match& match, std::size_t from, schedule::Civil& civil) {
  civil.hour = static_cast<unsigned>(number(match, from, 0));
  civil.minute = static_cast<unsigned>(number(match, from + 1, 0));
  civil.second = static_cast<unsigned>(number(match, from + 2, 0));
  if (match[from + 3].length() > 0) {
    std::string digits = match[from + 3].str().substr(0, 3);
    digits.resize(3, '0');
    civil.ms = static_cast<unsigned>(std::stoi(digits));
  }
}

/// Groups from `from` on: Z, hours with sign, minutes, and a name, which has precedence over the offset.
/// Nothing: an unknown zone.
std::optional<schedule::Zone> read_zone(const Match& match, std::size_t from,
                                        const schedule::Zone& default_zone) {
  if (match[from + 3].length() > 0) {
    auto named = schedule::Zone::find(match[from + 3].str());
    return named ? std::optional(*named) : std::nullopt;
  }
  if (match[from].matched) return schedule::Zone::fixed(0);
  if (!match[from + 1].matched) return default_zone;
  const std::string hours = match[from + 1].str();
  return schedule::Zone::fixed(
      (std::stoi(hours) * 60 + (hours[0] == '-' ? -1 : 1) * number(match, from + 2, 0)) * 60LL);
}

std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  return schedule::to_local_ms({.year = year, .month = month, .day = day}) / kDayMs;
}

/// What may follow the time of an ISO text.
const std::string kZone = std::string("(?:") + kOffset + R"(?(?:\[)" + kName + R"(\])?)?)";

/// The date part of an ISO text: calendar, week or ordinal form.
std::optional<schedule::Civil> iso_date(const std::string& text, Match& match, std::size_t& time_group) {
  static const std::string kEnd = std::string("(?:[Tt]") + kTime + kZone + ")?";
  static const std::regex kCalendar(R"(([+-]\d{6}|\d{4})(?:-?(\d\d)(?:-?(\d\d))?)?)" + kEnd);
  static const std::regex kWeek(R"((\d{4})-?W(\d\d)(?:-?(\d))?)" + kEnd);
  static const std::regex kOrdinal(R"((\d{4})-?(\d{3}))" + kEnd);
  if (std::regex_match(text, match, kCalendar)) {
    time_group = 4;
    return schedule::Civil{.year = number(match, 1, 0),
                           .month = static_cast<unsigned>(number(match, 2, 1)),
                           .day = static_cast<unsigned>(number(match, 3, 1))};
  }
  std::int64_t year = 0;
  std::int64_t days = 0;  // since its first of January
  if (std::regex_match(text, match, kWeek)) {
    time_group = 4;
    year = number(match, 1, 0);
    const std::int64_t fourth = days_of(year, 1, 4);  // in the first week, as every 4th of January
    const std::int64_t monday = fourth - ((fourth + 3) % 7 + 7) % 7;
    const int week = number(match, 2, 1), weekday = number(match, 3, 1);
    const std::int64_t next_fourth = days_of(year + 1, 1, 4);
    const std::int64_t weeks = (next_fourth - ((next_fourth + 3) % 7 + 7) % 7 - monday) / 7;
    if (week < 1 || week > weeks || weekday < 1 || weekday > 7) return std::nullopt;
    days = monday + (week - 1) * 7LL + weekday - 1 - days_of(year, 1, 1);
  } else if (std::regex_match(text, match, kOrdinal)) {
    time_group = 3;
    year = number(match, 1, 0);
    days = number(match, 2, 0) - 1;
    if (days < 0 || days >= days_of(year + 1, 1, 1) - days_of(year, 1, 1)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  const schedule::ZonedTime date(schedule::Zone::fixed(0), (days_of(year, 1, 1) + days) * kDayMs);
  return schedule::Civil{.year = date.civil().year, .month = date.civil().month, .day = date.civil().day};
}

std::optional<double> iso(const std::string& text, const schedule::Zone& zone, std::int64_t now_ms) {
  Match match;
  std::size_t group = 0;
  auto civil = iso_date(text, match, group);
  if (!civil || std::abs(civil->year) > 32'000) return std::nullopt;
  read_time(match, group, *civil);
  const auto in = read_zone(match, group + 4, zone);
  return in ? instant(*civil, *in, now_ms) : std::nullopt;
}

/// A time of today.
std::optional<double> iso_time(const std::string& text, const schedule::Zone& zone, std::int64_t now_ms) {
  static const std::regex kForm(kTime + kZone);
  Match match;
  if (!std::regex_match(text, match, kForm)) return std::nullopt;
  const auto in = read_zone(match, 5, zone);
  if (!in) return std::nullopt;
  const schedule::Civil today = schedule::ZonedTime(*in, now_ms).civil();
  schedule::Civil civil{.year = today.year, .month = today.month, .day = today.day};
  read_time(match, 1, civil);
  return instant(civil, *in, now_ms);
}

std::optional<double> rfc2822(const std::string& text, const schedule::Zone& zone, std::int64_t now_ms) {
  static const std::regex kForm(
      R"((?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\s)?(\d{1,2})\s(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s)"
      R"((\d{2,4})\s(\d\d):(\d\d)(?::(\d\d))?()\s(?:(UT|GMT|[ECMP][SD]T)|([Zz])|([+-]\d\d)(\d\d))())");
  Match match;
  if (!std::regex_match(text, match, kForm)) return std::nullopt;
  schedule::Civil civil{.year = number(match, 3, 0), .day = static_cast<unsigned>(number(match, 1, 0))};
  if (match[3].length() == 2) civil.year += civil.year > 60 ? 1900 : 2000;
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == match[2].str()) civil.month = static_cast<unsigned>(i) + 1;
  }
  civil.hour = static_cast<unsigned>(number(match, 4, 0));
  civil.minute = static_cast<unsigned>(number(match, 5, 0));
  civil.second = static_cast<unsigned>(number(match, 6, 0));
  std::optional<schedule::Zone> in = read_zone(match, 9, zone);
  if (match[8].matched) {
    const std::string name = match[8].str();
    in = schedule::Zone::fixed(0);
    for (const auto& [letter, hours] : {std::pair{'E', -5}, {'C', -6}, {'M', -7}, {'P', -8}}) {
      if (name.size() == 3 && name[0] == letter)
        in = schedule::Zone::fixed((hours + (name[1] == 'D' ? 1 : 0)) * 3600LL);
    }
  }
  return in ? instant(civil, *in, now_ms) : std::nullopt;
}

std::optional<double> sql(const std::string& text, const schedule::Zone& zone, std::int64_t now_ms) {
  static const std::regex kForm(std::string(R"((\d{4})-(\d\d)-(\d\d)(?: )") + kTime + "(?: ?(?:" + kOffset +
                                "|" + kName + "))?)?");
  Match match;
  if (!std::regex_match(text, match, kForm)) return std::nullopt;
  schedule::Civil civil{.year = number(match, 1, 0),
                        .month = static_cast<unsigned>(number(match, 2, 1)),
                        .day = static_cast<unsigned>(number(match, 3, 1))};
  read_time(match, 4, civil);
  const auto in = read_zone(match, 8, zone);
  return in ? instant(civil, *in, now_ms) : std::nullopt;
}

}  // namespace

std::optional<double> luxon_date(const json::Value& value, const schedule::Zone& zone, std::int64_t now_ms) {
  if (value.is_number()) {
    const auto ms = value.to_number<double>();
    return std::abs(ms) <= kLatestMs ? std::optional(ms) : std::nullopt;
  }
  if (!value.is_string() || value.get_string().size() > kLongestText) return std::nullopt;
  const std::string text(std::string_view(value.get_string()));
  for (const auto& form : {iso, iso_time, rfc2822, sql}) {
    if (const auto ms = form(text, zone, now_ms)) return ms;
  }
  return std::nullopt;
}

}  // namespace gaur::bull
