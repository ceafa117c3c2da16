#pragma once
// Time zones by the names that the peers' date library (luxon) takes, and local times in them with its rules
// for times that do not exist or come twice. The zone tables are those of the operating system, read at first
// use; after their end the zone's rule continues them. Thread-safety: values; pure functions.
#include <cstdint>
#include <optional>
#include <string_view>

#include "gaur/result.hpp"
#include "schedule/zone_rule.hpp"

namespace date {
class time_zone;
}

namespace gaur::schedule {

class Zone {
 public:
  /// `name`: an IANA name in any case, "UTC", "GMT", "UTC+9", "UTC-03:30"; "", "local", "system" and
  /// "default" are this machine's zone. Errors: kInvalidArgument: no such zone.
  static Result<Zone> find(std::string_view name);
  static Zone fixed(std::int64_t offset_s) { return Zone(nullptr, offset_s); }

  /// Seconds east of UTC at a time in ms since 1970.
  std::int64_t offset_s(std::int64_t utc_ms) const;

 private:
  explicit Zone(const date::time_zone* zone);
  Zone(const date::time_zone* zone, std::int64_t offset_s) : zone_(zone), fixed_s_(offset_s) {}
  /// nullptr: the offset is `fixed_s_`. Owned by the library for the lifetime of the process.
  const date::time_zone* zone_;
  std::int64_t fixed_s_ = 0;
  /// After the end of the table.
  std::optional<ZoneRule> rule_{};
};

/// A day of UTC, in ms.
inline constexpr std::int64_t kDayMs = 86'400'000;

/// A calendar date and time of day, without a zone.
struct Civil {
  std::int64_t year = 1970;
  unsigned month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0;
};
/// As if the civil time were UTC. Fields beyond their range carry over (day 32 is in the next month).
std::int64_t to_local_ms(const Civil& civil);
unsigned days_in_month(std::int64_t year, unsigned month);

/// An instant in a zone, moved as luxon moves a DateTime: hours, minutes and seconds elapse; days and months
/// go by the calendar, and a local time in a gap moves on by the length of the gap.
class ZonedTime {
 public:
  ZonedTime(const Zone& zone, std::int64_t utc_ms) : zone_(&zone) { set(utc_ms); }
  /// A local time. Where it is ambiguous the offset nearest to `near_s` counts.
  static ZonedTime of_local(const Zone& zone, std::int64_t local_ms, std::int64_t near_s);

  std::int64_t utc_ms() const { return utc_ms_; }
  const Civil& civil() const { return civil_; }
  /// 0: Sunday.
  unsigned weekday() const;

  void elapse(std::int64_t ms) { set(utc_ms_ + ms); }
  void add_days(std::int64_t days);
  void to_start_of_next_month();
  /// Down to a multiple of `unit_ms` (a second, minute, hour or day) in local time.
  void to_start_of(std::int64_t unit_ms);

 private:
  void set(std::int64_t utc_ms);
  void set_local(std::int64_t local_ms);
  std::int64_t local_ms() const { return utc_ms_ + offset_s_ * 1000; }

  const Zone* zone_;
  std::int64_t utc_ms_ = 0, offset_s_ = 0;
  Civil civil_{};
};

}  // namespace gaur::schedule
