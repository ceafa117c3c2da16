#include "schedule/zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/decimal_text.hpp"
#include "base/utf8.hpp"

namespace gaur::schedule {

namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// "utc+9", "utc-03:30": seconds.
std::optional<std::int64_t> utc_offset(std::string_view name) {
  if (!name.starts_with("utc") || name.size() < 5 || (name[3] != '+' && name[3] != '-')) return std::nullopt;
  const std::string_view digits = name.substr(4);
  const auto colon = std::min(digits.find(':'), digits.size());
  const std::string_view hours = digits.substr(0, colon);
  const std::string_view minutes = colon < digits.size() ? digits.substr(colon + 1) : "00";
  const auto all_digits = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
  };
  if (hours.empty() || hours.size() > 2 || minutes.size() != 2 || !all_digits(hours) || !all_digits(minutes))
    return std::nullopt;
  std::int64_t h = 0, m = 0;
  std::from_chars(hours.data(), hours.data() + hours.size(), h);
  std::from_chars(minutes.data(), minutes.data() + minutes.size(), m);
  return (name[3] == '-' ? -1 : 1) * (h * 3600 + m * 60);
}

/// Files beside the zones that are no zones of their own.
bool is_zone_name(std::string_view name) {
  return !name.starts_with("posix") && !name.starts_with("right/") && name != "localtime" &&
         name != "Factory";
}

const date::time_zone* find_by_any_case(std::string_view name) {
  const std::string wanted = lowered(name);
  for (const date::time_zone& zone : date::get_tzdb().zones) {
    if (zone.name().size() == wanted.size() && lowered(zone.name()) == wanted && is_zone_name(zone.name()))
      return &zone;
  }
  return nullptr;
}

/// Schedules look their zone up for every run, so the file of a zone is read once in a process, like the
/// library's tables.
std::optional<ZoneRule> rule_of(const date::time_zone& zone) {
  static std::mutex mutex;
  static std::map<const date::time_zone*, std::optional<ZoneRule>> rules;
  std::lock_guard lock(mutex);
  const auto [place, is_new] = rules.try_emplace(&zone);
  if (is_new) place->second = zone_rule_of(zone.name());
  return place->second;
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  const std::string word = lowered(name);
  try {  // the library throws for what is not there
    if (word.empty() || word == "local" || word == "system" || word == "default") {
      return Zone(date::current_zone());
    }
    if (word == "utc" || word == "gmt") return fixed(0);
    if (const auto offset = utc_offset(word)) return fixed(*offset);
    if (const date::time_zone* const zone = find_by_any_case(name)) return Zone(zone);
  } catch (const std::exception&) {
    if (word.empty()) return fixed(0);  // a machine that does not say its zone
  }
  return Error{
      Errc::kInvalidArgument,
      fmt::format("time zone \"{}\" is not known here; use an IANA name such as Europe/Athens, or UTC+9",
                  utf8_prefix(name, 100))};
}

Zone::Zone(const date::time_zone* zone) : zone_(zone), rule_(rule_of(*zone)) {}

std::int64_t Zone::offset_s(std::int64_t utc_ms) const {
  if (zone_ == nullptr) return fixed_s_;
  const date::sys_seconds at{date::floor<std::chrono::seconds>(std::chrono::milliseconds(utc_ms))};
  const date::sys_info info = zone_->get_info(at);
  const bool in_table = info.end < date::sys_days(date::year(9999) / 1 / 1);
  return in_table || !rule_ ? info.offset.count() : rule_->offset_s(utc_ms);
}

std::int64_t to_local_ms(const Civil& civil) {
  // The library knows the years of 16 bits; the calendar repeats itself every 400.
  constexpr std::int64_t kDaysOf400Years = 146'097;
  const auto month = static_cast<std::int64_t>(civil.month) - 1;
  const std::int64_t year = civil.year + month / 12;
  const std::int64_t cycles = (year >= 0 ? year : year - 399) / 400;
  const date::year_month_day first(date::year(static_cast<int>(year - cycles * 400)),
                                   date::month(static_cast<unsigned>(month % 12) + 1), date::day(1));
  const std::int64_t days = date::sys_days(first).time_since_epoch().count() + cycles * kDaysOf400Years +
                            static_cast<std::int64_t>(civil.day) - 1;
  return days * kDayMs + (civil.hour * 3600LL + civil.minute * 60LL + civil.second) * 1000 + civil.ms;
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  const date::year_month_day_last last(date::year(static_cast<int>(year)),
                                       date::month_day_last(date::month(month)));
  return static_cast<unsigned>(last.day());
}

ZonedTime ZonedTime::of_local(const Zone& zone, std::int64_t local_ms, std::int64_t near_s) {
  ZonedTime time(zone, 0);
  time.offset_s_ = near_s;
  time.set_local(local_ms);
  return time;
}

unsigned ZonedTime::weekday() const {
  const date::local_days day{date::days(date::floor<date::days>(std::chrono::milliseconds(local_ms())))};
  return date::weekday(day).c_encoding();
}

void ZonedTime::set(std::int64_t utc_ms) {
  utc_ms_ = utc_ms;
  offset_s_ = zone_->offset_s(utc_ms);
  const auto local = std::chrono::milliseconds(local_ms());
  const auto day = date::floor<date::days>(local);
  const date::year_month_day ymd{date::local_days(day)};
  const auto in_day = static_cast<unsigned>((local - day).count());
  civil_ = {static_cast<int>(ymd.year()),
            static_cast<unsigned>(ymd.month()),
            static_cast<unsigned>(ymd.day()),
            in_day / 3'600'000,
            in_day / 60'000 % 60,
            in_day / 1000 % 60,
            in_day % 1000};
}

/// Tries the offset that holds here, then the one that holds there. In a gap neither does, and the smaller
/// one moves the time to after the gap.
void ZonedTime::set_local(std::int64_t local_ms) {
  std::int64_t utc = local_ms - offset_s_ * 1000;
  const std::int64_t second = zone_->offset_s(utc);
  if (second != offset_s_) {
    utc = local_ms - second * 1000;
    const std::int64_t third = zone_->offset_s(utc);
    if (third != second) utc = local_ms - std::min(second, third) * 1000;
  }
  set(utc);
}

void ZonedTime::add_days(std::int64_t days) {
  set_local(local_ms() + days * kDayMs);
}

void ZonedTime::to_start_of_next_month() {
  Civil next = civil_;
  next.year += next.month / 12;
  next.month = next.month % 12 + 1;
  next.day = std::min(next.day, days_in_month(next.year, next.month));
  set_local(to_local_ms(next));
  set_local(to_local_ms({.year = civil_.year, .month = civil_.month}));
}

void ZonedTime::to_start_of(std::int64_t unit_ms) {
  const std::int64_t local = local_ms();
  const std::int64_t over = (local % unit_ms + unit_ms) % unit_ms;
  set_local(local - over);
}

}  // namespace gaur::schedule
