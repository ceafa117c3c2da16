#include "schedule/zone_rule.hpp"

#include <date/date.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

#include "base/decimal_text.hpp"

namespace gaur::schedule {

namespace {

constexpr std::size_t kLargestFile = 1 << 20;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// "EST" or "<+0330>".
  bool name() {
    std::size_t end = 0;
    if (text_.starts_with('<')) {
      end = text_.find('>') + 1;  // 0: it has no end
    } else {
      while (end < text_.size() && !is_digit(text_[end]) && text_[end] != '+' && text_[end] != '-' &&
             text_[end] != ',')
        ++end;
    }
    text_.remove_prefix(end);
    return end > 0;
  }

  std::optional<std::int64_t> number(std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0 || value > most) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }

  /// [+-]h[:mm[:ss]], in seconds.
  std::optional<std::int64_t> time() {
    const bool negative = take('-');
    if (!negative) take('+');
    std::int64_t seconds = 0;
    for (const std::int64_t unit : {3600, 60, 1}) {
      if (unit < 3600 && !take(':')) break;
      const auto part = number(unit == 3600 ? 167 : 59);
      if (!part) return std::nullopt;
      seconds += *part * unit;
    }
    return negative ? -seconds : seconds;
  }

  /// ",M3.2.0/1".
  std::optional<ZoneRule::Change> change() {
    ZoneRule::Change change;
    if (!take(',') || !take('M')) return std::nullopt;
    const auto month = number(12);
    const auto week = month && take('.') ? number(5) : std::nullopt;
    const auto weekday = week && take('.') ? number(6) : std::nullopt;
    if (!weekday || *month < 1 || *week < 1) return std::nullopt;
    change.month = static_cast<unsigned>(*month);
    change.week = static_cast<unsigned>(*week);
    change.weekday = static_cast<unsigned>(*weekday);
    if (take('/')) {
      const auto at = time();
      if (!at) return std::nullopt;
      change.time_s = *at;
    }
    return change;
  }

 private:
  std::string_view text_;
};

/// Seconds since 1970, as if the local time were UTC.
std::int64_t local_s(const ZoneRule::Change& change, date::year year) {
  const auto month = year / date::month(change.month);
  const date::weekday weekday(change.weekday);
  const date::local_days day = change.week == 5 ? date::local_days(month / weekday[date::last])
                                                : date::local_days(month / weekday[change.week]);
  return date::local_seconds(day).time_since_epoch().count() + change.time_s;
}

}  // namespace

std::int64_t ZoneRule::offset_s(std::int64_t utc_ms) const {
  const auto utc = date::floor<std::chrono::seconds>(std::chrono::milliseconds(utc_ms)).count();
  const date::local_seconds standard{std::chrono::seconds(utc + standard_s)};
  const date::year year = date::year_month_day(date::floor<date::days>(standard)).year();
  const std::int64_t begin = local_s(to_summer, year) - standard_s;
  const std::int64_t end = local_s(to_standard, year) - summer_s;
  const bool in_summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
  return in_summer ? summer_s : standard_s;
}

std::optional<ZoneRule> read_zone_rule(std::string_view text) {
  Reader reader(text);
  ZoneRule rule;
  if (!reader.name()) return std::nullopt;
  const auto standard = reader.time();  // hours west of UTC, as POSIX counts them
  if (!standard || !reader.name()) return std::nullopt;
  rule.standard_s = -*standard;
  rule.summer_s = rule.standard_s + 3600;
  Reader ahead = reader;
  if (!ahead.take(',')) {
    const auto summer = reader.time();
    if (!summer) return std::nullopt;
    rule.summer_s = -*summer;
  }
  const auto to_summer = reader.change();
  const auto to_standard = to_summer ? reader.change() : std::nullopt;
  if (!to_standard || !reader.at_end()) return std::nullopt;
  rule.to_summer = *to_summer;
  rule.to_standard = *to_standard;
  return rule;
}

std::optional<ZoneRule> zone_rule_of(std::string_view zone_name) {
  std::ifstream file("/usr/share/zoneinfo/" + std::string(zone_name), std::ios::binary);
  std::string text;
  for (std::istreambuf_iterator<char> at(file), end; at != end && text.size() < kLargestFile; ++at)
    text += *at;
  if (!text.ends_with('\n')) return std::nullopt;
  text.pop_back();
  const auto before = text.rfind('\n');
  return before == std::string::npos ? std::nullopt
                                     : read_zone_rule(std::string_view(text).substr(before + 1));
}

}  // namespace gaur::schedule
