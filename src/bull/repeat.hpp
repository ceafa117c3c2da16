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

/// The `repeat` member of a job's options.
struct Repeat {
  std::string cron{};   ///< "": `every` says
  std::string every{};  ///< number of ms as text, as JavaScript prints it
  std::string time_zone{};
  std::string job_id{};
  std::optional<Time> start{}, end{};
  std::optional<std::int64_t> limit{};
  std::int64_t count = 0;  ///< which run this is
  std::string key{};       ///< as the job carries it; "" where it does not
};

/// Nothing where the options say nothing of repeating. Errors: kInvalidArgument: it is malformed.
Result<std::optional<Repeat>> repeat_of(const json::Object& options);

/// "nm:J::2000", "nm::::*/5 * * * * *": the member of the zset `repeat`.
std::string repeat_key(std::string_view name, const Repeat& repeat);
/// What stands between "repeat:" and the slot in the ids of the runs.
std::string repeat_hash(std::string_view name, std::string_view job_id, std::string_view key);
/// "repeat:<hash>:<slot ms>".
JobId iteration_id(std::string_view name, const Repeat& repeat, std::string_view key, Time slot);

/// The slot after `base` (now, or the slot just taken if that is later), or nothing: it is over. The count of
/// the run to come is repeat.count + 1. Errors: kInvalidArgument (pattern or zone).
Result<std::optional<Time>> next_slot(const Repeat& repeat, Time now, std::optional<Time> taken_slot);

/// The parts that a key holds; what is not in it (limit, start) stays empty. Names with a colon cannot be
/// told apart, as with Bull.
struct KeyParts {
  std::string name, job_id, time_zone, cron, every;
  std::optional<Time> end;
};
std::optional<KeyParts> parse_repeat_key(std::string_view key);

std::string md5_hex(std::string_view text);

}  // namespace gaur::bull
