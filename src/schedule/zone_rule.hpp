#pragma once
// The rule by which a zone's clock changes after the last entry of its table: the last line of a zone file,
// in the notation of POSIX's TZ ("EST5EDT,M3.2.0,M11.1.0"). Tables end in 2037 or earlier. Thread-safety:
// pure functions.
#include <cstdint>
#include <optional>
#include <string_view>

namespace gaur::schedule {

struct ZoneRule {
  /// The `week`-th `weekday` (0: Sunday) of a month, 5 is the last; `time_s` after its midnight, possibly on
  /// another day.
  struct Change {
    unsigned month = 1, week = 1, weekday = 0;
    std::int64_t time_s = 7'200;
  };
  /// Seconds east of UTC.
  std::int64_t standard_s = 0, summer_s = 0;
  Change to_summer, to_standard;

  std::int64_t offset_s(std::int64_t utc_ms) const;
};

/// nullopt: the clock never changes, or by days of the year, which no zone does.
std::optional<ZoneRule> read_zone_rule(std::string_view text);

/// The rule in the operating system's file of a zone. nullopt also where there is no such file.
std::optional<ZoneRule> zone_rule_of(std::string_view zone_name);

}  // namespace gaur::schedule
