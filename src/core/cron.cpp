#include "core/cron.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <charconv>
#include <string>
#include <vector>

namespace gaur {

namespace {

enum Field : std::size_t { kSecond, kMinute, kHour, kDay, kMonth, kWeekday, kFields };

struct Bounds {
  std::string_view name;
  unsigned low, high;
};
constexpr std::array<Bounds, kFields> kBounds{{{"seconds", 0, 59},
                                               {"minutes", 0, 59},
                                               {"hours", 0, 23},
                                               {"day of month", 1, 31},
                                               {"month", 1, 12},
                                               {"day of week", 0, 7}}};
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int kDaysAhead = 12 * 366;

Error bad(Field field, std::string_view rule, std::string_view text) {
  return {Errc::kInvalidArgument, fmt::format("cron {}: {}, was \"{}\"", kBounds[field].name, rule, text)};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  for (std::string& part : split(text, ' ')) {
    if (!part.empty()) found.push_back(std::move(part));
  }
  return found;
}

/// Names of months and weekdays become numbers.
Result<std::string> without_names(Field field, std::string text) {
  if (field != kMonth && field != kWeekday) return text;
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    std::string word;
    for (; end < text.size() && word.size() < 3; ++end) {
      const char c = text[end];
      if (c >= 'A' && c <= 'Z') {
        word += static_cast<char>(c - 'A' + 'a');
      } else if (c >= 'a' && c <= 'z') {
        word += c;
      } else {
        break;
      }
    }
    if (word.size() < 3) {
      plain += text[at++];
      continue;
    }
    const auto number = [&](const auto& names, unsigned first) -> std::optional<unsigned> {
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == word) return first + static_cast<unsigned>(i);
      }
      return std::nullopt;
    };
    const auto value = field == kMonth ? number(kMonths, 1) : number(kWeekdays, 0);
    if (!value) return bad(field, "an unknown name", word);
    plain += std::to_string(*value);
    at = end;
  }
  return plain;
}

Result<unsigned> number(Field field, std::string_view text) {
  unsigned value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size())
    return bad(field, "a number was expected", text);
  if (value < kBounds[field].low || value > kBounds[field].high)
    return bad(field, fmt::format("{} to {}", kBounds[field].low, kBounds[field].high), text);
  return value;
}

struct Range {
  unsigned from = 0, to = 0, step = 1;
};

/// "*", "5", "1-5", "*/10", "5/20", "8-18/4".
Result<Range> parse_range(Field field, const std::string& text) {
  const auto parts = split(text, '/');
  if (parts.size() > 2) return bad(field, "one step at most", text);
  Range range;
  const std::string& span = parts[0];
  if (span == "*" || span == "?") {
    range.from = kBounds[field].low;
    range.to = kBounds[field].high;
  } else {
    const auto ends = split(span, '-');
    if (ends.size() > 2) return bad(field, "one range at most", text);
    GAUR_TRY(range.from, number(field, ends[0]));
    range.to = range.from;
    if (ends.size() == 2) {
      GAUR_TRY(range.to, number(field, ends[1]));
    } else if (parts.size() == 2) {
      range.to = kBounds[field].high;
    }
    if (range.from > range.to) return bad(field, "a range goes up", text);
  }
  if (parts.size() == 2) {
    const std::string& step = parts[1];
    const auto [end, problem] = std::from_chars(step.data(), step.data() + step.size(), range.step);
    if (problem != std::errc() || end != step.data() + step.size() || range.step == 0)
      return bad(field, "a step is a whole number above 0", text);
  }
  return range;
}

template <std::size_t N>
Status parse_values(Field field, const std::string& text, std::bitset<N>& values) {
  for (const std::string& part : split(text, ',')) {
    if (part.empty()) return bad(field, "an empty place in a list", text);
    GAUR_TRY(const Range range, parse_range(field, part));
    for (std::uint64_t value = range.from; value <= range.to; value += range.step)
      values.set(static_cast<std::size_t>(value));
  }
  return ok();
}

std::string_view expanded(std::string_view pattern) {
  if (pattern == "@yearly") return "0 0 1 1 *";
  if (pattern == "@monthly") return "0 0 1 * *";
  if (pattern == "@weekly") return "0 0 * * 0";
  if (pattern == "@daily") return "0 0 * * *";
  if (pattern == "@hourly") return "0 * * * *";
  return pattern;
}

/// Takes what is like `L` out of a list of days, and answers whether it was there.
bool take_last_day(std::string& text) {
  std::string rest;
  bool found = false;
  for (const std::string& part : split(text, ',')) {
    if (part == "L") {
      found = true;
    } else {
      rest += (rest.empty() ? "" : ",") + part;
    }
  }
  if (found) text = rest;
  return found;
}

Result<const date::time_zone*> find_zone(std::string_view name) {
  try {  // the library throws for what is not there
    return name.empty() ? date::current_zone() : date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    if (name.empty()) return date::locate_zone("Etc/UTC");  // a machine that does not say its zone
    return Error{Errc::kInvalidArgument, fmt::format("time zone: no such zone, was \"{}\"", name)};
  }
}

constexpr std::int64_t kHourSeconds = 3600;

}  // namespace

Result<Cron> Cron::parse(std::string_view pattern) {
  std::vector<std::string> fields = words(expanded(pattern));
  if (fields.size() > kFields) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("cron: 5 or 6 fields, was \"{}\"", pattern.substr(0, 100))};
  }
  // What is left out on the left is every value, and second 0.
  while (fields.size() < kFields) fields.insert(fields.begin(), fields.size() + 1 == kFields ? "0" : "*");
  for (const Field field : {kMonth, kWeekday}) {
    GAUR_TRY(fields[field], without_names(field, std::move(fields[field])));
  }
  Cron cron;
  GAUR_CHECK(parse_values(kSecond, fields[kSecond], cron.seconds_));
  GAUR_CHECK(parse_values(kMinute, fields[kMinute], cron.minutes_));
  GAUR_CHECK(parse_values(kHour, fields[kHour], cron.hours_));
  GAUR_CHECK(parse_values(kMonth, fields[kMonth], cron.months_));

  cron.last_day_ = take_last_day(fields[kDay]);
  if (!fields[kDay].empty()) GAUR_CHECK(parse_values(kDay, fields[kDay], cron.days_));

  std::string& weekday = fields[kWeekday];
  if (const auto hash = weekday.find('#'); hash != std::string::npos) {
    const std::string nth = weekday.substr(hash + 1);
    if (nth.size() != 1 || nth[0] < '1' || nth[0] > '5')
      return bad(kWeekday, "after # stands 1 to 5, alone", weekday);
    cron.nth_weekday_ = static_cast<unsigned>(nth[0] - '0');
    weekday.resize(hash);
  }
  std::string plain;
  for (const std::string& part : split(weekday, ',')) {
    if (part.size() == 2 && part[1] == 'L') {
      GAUR_TRY(const unsigned day, number(kWeekday, part.substr(0, 1)));
      cron.last_weekdays_.set(day % 7);
    } else {
      plain += (plain.empty() ? "" : ",") + part;
    }
  }
  if (!plain.empty()) {
    std::bitset<8> days;
    GAUR_CHECK(parse_values(kWeekday, plain, days));
    cron.any_weekday_ = days.all();  // 0 to 7; 0-6 counts as a restriction, as with the peers
    for (std::size_t day = 0; day < days.size(); ++day) {
      if (days[day]) cron.weekdays_.set(day % 7);
    }
  }
  return cron;
}

/// Days and weekdays that are both restricted are alternatives.
bool Cron::matches(const Day& day) const {
  if (!months_[day.month]) return false;
  const bool last_week = day.number + 7 > day.length;
  const bool by_day = days_[day.number] || (last_day_ && day.number == day.length);
  const bool by_weekday = weekdays_[day.weekday] || (last_week && last_weekdays_[day.weekday]);
  const bool any_day = days_.count() + (last_day_ ? 1U : 0U) >= day.length;
  if (any_weekday_ && !by_day) return false;
  if (!any_weekday_ && any_day && !by_weekday) return false;
  if (!any_weekday_ && !any_day && !by_day && !by_weekday) return false;
  return nth_weekday_ == 0 || (day.number + 6) / 7 == nth_weekday_;
}

/// The first second after `after` in one hour of local time, which stands `offset` seconds east of UTC.
std::optional<std::int64_t> Cron::in_hour(std::int64_t offset, std::int64_t local_hour,
                                          std::int64_t after) const {
  const std::int64_t begin = local_hour - offset;
  if (begin + kHourSeconds <= after) return std::nullopt;
  for (std::int64_t minute = 0; minute < 60; ++minute) {
    const std::int64_t at = begin + minute * 60;
    if (!minutes_[static_cast<std::size_t>(minute)] || at + 60 <= after) continue;
    for (std::int64_t second = 0; second < 60; ++second) {
      if (seconds_[static_cast<std::size_t>(second)] && at + second > after) return at + second;
    }
  }
  return std::nullopt;
}

Result<std::optional<Time>> Cron::next(Time after, std::string_view zone_name) const {
  using std::chrono::seconds;
  GAUR_TRY(const date::time_zone* const zone, find_zone(zone_name));
  const auto base = date::floor<seconds>(date::sys_time<Duration>(after.time_since_epoch()));
  const std::int64_t after_s = base.time_since_epoch().count();
  auto day = date::floor<date::days>(zone->to_local(base));
  for (int ahead = 0; ahead < kDaysAhead; ++ahead, day += date::days(1)) {
    const date::year_month_day ymd(day);
    const auto length = (ymd.year() / ymd.month() / date::last).day();
    const Day facts{static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                    date::weekday(day).c_encoding(), static_cast<unsigned>(length)};
    if (!matches(facts)) continue;
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_[hour]) continue;
      const date::local_seconds local = day + std::chrono::hours(hour);
      const auto info = zone->get_info(local);
      const std::int64_t at = local.time_since_epoch().count();
      const bool skipped = info.result == date::local_info::nonexistent;
      if (skipped && hours_.all()) continue;  // the hour after it is in the pattern too
      // In a gap the offset from before it moves the time to after it.
      auto found = in_hour(info.first.offset.count(), at, after_s);
      if (!found && info.result == date::local_info::ambiguous && hours_.all())
        found = in_hour(info.second.offset.count(), at, after_s);
      if (found) return std::optional<Time>(Time(seconds(*found)));
    }
  }
  return std::optional<Time>();
}

}  // namespace gaur
