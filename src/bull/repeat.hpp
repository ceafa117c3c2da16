#pragma once
// Repeatable jobs in Bull 4: the repeat key that names a schedule, the ids of its iterations, and the time of
// the next one. Pure but for the zone tables. Thread-safety: values.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gaur/job.hpp"

namespace gaur::bull {

/// When an iteration is due. Bull stores what JavaScript computed: a number of ms, a fraction of one, or, if
/// `every` is a string, the concatenation of the two.
struct Slot {
  Slot() = default;
  Slot(Time time);  // NOLINT(google-explicit-constructor)
  explicit Slot(double milliseconds);
  explicit Slot(std::string words);

  /// As stored in the set `repeat` and in the iteration's id.
  std::string text{};
  /// NaN if the text is not a number.
  double ms = 0;
  /// prevMillis is a JSON string.
  bool is_text = false;
  friend bool operator==(const Slot& a, const Slot& b) { return a.text == b.text; }
};

/// The `repeat` member of a job's options.
struct Repeat {
  /// "": `every` is set.
  std::string cron{};
  /// Milliseconds, as JavaScript prints the number.
  std::string every{};
  std::string time_zone{};
  std::string job_id{};
  /// As `new Date` reads them; nothing if missing or not a date.
  std::optional<Time> start{}, end{};
  std::optional<std::int64_t> limit{};
  /// The number of this iteration.
  std::int64_t count = 0;
  /// As stored in the job, or "".
  std::string key{};
  // Values that Bull's cron library reads in its own way:
  /// JavaScript concatenates instead of adding.
  bool every_is_text = false;
  /// startDate and endDate as stored; null: missing or falsy.
  json::Value start_value{}, end_value{};
  /// If tz is a number, or utc is set.
  std::optional<double> zone_minutes{};
  /// Cron-parser's option; 0: none.
  double nth_weekday = 0;
  /// Used without a tz; "": the machine's.
  std::string local_zone{};
};

/// Nothing if the options have no `repeat`. Errors: kInvalidArgument: it is malformed.
/// @param local_zone  used without a tz; "": the machine's zone
Result<std::optional<Repeat>> repeat_of(const json::Object& options, const std::string& local_zone = "");

/// "nm:J::2000", "nm::::*/5 * * * * *": the member of the zset `repeat`.
std::string repeat_key(std::string_view name, const Repeat& repeat);
/// The part between "repeat:" and the slot in the ids of the iterations.
std::string repeat_hash(std::string_view name, std::string_view job_id, std::string_view key);
/// "repeat:<hash>:<slot ms>".
JobId iteration_id(std::string_view name, const Repeat& repeat, std::string_view key, const Slot& slot);

/// The slot after now, or after the slot just taken if that is later, exactly as Bull 4 computes it; nothing
/// if the schedule has ended. The count of the next iteration is repeat.count + 1. Errors: kInvalidArgument:
/// pattern, zone or a date.
Result<std::optional<Slot>> next_slot(const Repeat& repeat, Time now, const std::optional<Slot>& taken_slot);
/// The slot in `prevMillis`, or nothing.
std::optional<Slot> taken_slot_of(const json::Object& options);

/// The parts of a repeat key. It has no limit and no start. As in Bull, a name with a colon is ambiguous.
struct KeyParts {
  std::string name, job_id, time_zone, cron, every;
  std::optional<Time> end;
};
std::optional<KeyParts> parse_repeat_key(std::string_view key);

/// Why the iteration after the one with these options cannot be computed; nothing if it can.
std::optional<std::string> unreadable_schedule(std::string_view options, Time now);

std::string md5_hex(std::string_view text);

}  // namespace gaur::bull
