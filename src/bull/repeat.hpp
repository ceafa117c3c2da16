#pragma once
// Repeatable jobs as Bull 4 keeps them: a text that names the schedule (the repeat key), an id for each run
// made of it, and when the next run is due. Pure but for the zone tables. Thread-safety: values.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gaur/job.hpp"

namespace gaur::bull {

/// When a run is due. Bull keeps what JavaScript computed: a number of ms, a fraction of one, or, where
/// `every` is a text, the text that adding the two gives.
struct Slot {
  Slot() = default;
  Slot(Time time);  // NOLINT(google-explicit-constructor)
  explicit Slot(double milliseconds);
  explicit Slot(std::string words);

  std::string text{};    ///< as it stands in the set `repeat` and in the run's id
  double ms = 0;         ///< NaN: no number
  bool is_text = false;  ///< prevMillis is a JSON string
  friend bool operator==(const Slot& a, const Slot& b) { return a.text == b.text; }
};

/// The `repeat` member of a job's options.
struct Repeat {
  std::string cron{};   ///< "": `every` says
  std::string every{};  ///< number of ms as text, as JavaScript prints it
  std::string time_zone{};
  std::string job_id{};
  std::optional<Time> start{}, end{};  ///< as `new Date` reads them; nothing: none, or no date
  std::optional<std::int64_t> limit{};
  std::int64_t count = 0;  ///< which run this is
  std::string key{};       ///< as the job carries it; "" where it does not
  // What the library under Bull reads in its own way:
  bool every_is_text = false;              ///< JavaScript appends a text instead of adding a number
  json::Value start_value{}, end_value{};  ///< startDate and endDate as they stand; null: left out or falsy
  std::optional<double> zone_minutes{};    ///< where tz is a number, or utc is set
  double nth_weekday = 0;                  ///< cron-parser's option; 0: none
  std::string local_zone{};                ///< what no tz means; "": the machine's
};

/// Nothing where the options say nothing of repeating. Errors: kInvalidArgument: it is malformed.
/// @param local_zone  what no tz means; "": this machine's zone
Result<std::optional<Repeat>> repeat_of(const json::Object& options, const std::string& local_zone = "");

/// "nm:J::2000", "nm::::*/5 * * * * *": the member of the zset `repeat`.
std::string repeat_key(std::string_view name, const Repeat& repeat);
/// What stands between "repeat:" and the slot in the ids of the runs.
std::string repeat_hash(std::string_view name, std::string_view job_id, std::string_view key);
/// "repeat:<hash>:<slot ms>".
JobId iteration_id(std::string_view name, const Repeat& repeat, std::string_view key, const Slot& slot);

/// The slot after now, or after the slot just taken if that is later, exactly as Bull 4 computes it; nothing:
/// it is over. The count of the run to come is repeat.count + 1. Errors: kInvalidArgument (pattern, zone or a
/// date).
Result<std::optional<Slot>> next_slot(const Repeat& repeat, Time now, const std::optional<Slot>& taken_slot);
/// The slot that `prevMillis` tells, or nothing.
std::optional<Slot> taken_slot_of(const json::Object& options);

/// The parts that a key holds; what is not in it (limit, start) stays empty. Names with a colon cannot be
/// told apart, as with Bull.
struct KeyParts {
  std::string name, job_id, time_zone, cron, every;
  std::optional<Time> end;
};
std::optional<KeyParts> parse_repeat_key(std::string_view key);

/// Why a schedule has no run after the one with these options, if it cannot be read; nothing where it can.
std::optional<std::string> unreadable_schedule(std::string_view options, Time now);

std::string md5_hex(std::string_view text);

}  // namespace gaur::bull
