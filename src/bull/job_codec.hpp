#pragma once
// A job as Bull 4 stores it: hash fields and options JSON, both ways. What cannot be read is left at its
// default: a job that somebody else wrote must never stop a turn. Thread-safety: pure functions.
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gaur/job.hpp"
#include "redis/reply.hpp"

namespace gaur::bull {

/// `options` as Bull stores them, one JSON object on one line. Without `timestamp` unless one is given: the
/// script that stores them adds the time. Never null for removeOnComplete and removeOnFail. What Bull does
/// not know (queueTimeout, keepLogs, backoff.jitter) is there only where it differs from its default; peers
/// ignore it.
std::string options_to_json(const JobOptions& options);

/// The options that Bull knows, from the stored text. Unknown members are passed over.
JobOptions options_from_json(std::string_view text);

/// The stored options as a JSON object ({} if they are none): for `repeat`, `prevMillis` and whatever else a
/// writer put there.
json::Object options_object(std::string_view text);

/// What is known of a job beside its hash.
struct Beside {
  State state = State::kWaiting;  ///< kPrioritized: a member of `priority`; a retry by hand leaves that
  std::uint64_t requeued = 0;     ///< its entry in Gaur's own hash `backs`
  std::optional<Time> due{};      ///< delayed jobs: of their score
};

/// From HGETALL's reply: field, value, field, value ...
/// attempts_made = attemptsMade, and one more for a completed run; attempts_started = attemptsMade +
/// stalledCounter
/// + requeued, and one more for a run that goes on or completed.
/// Every text of it is UTF-8; data, progress and result are JSON. Data that is not is kept as a JSON string,
/// and data_invalid says why.
Job job_from_hash(const QueueName& queue, const JobId& id, const redis::Reply::Array& fields,
                  const Beside& beside);

/// The ms that a score of `delayed` stands for: floor(score / 4096).
Time due_of_score(double score);
/// A number as Lua or JavaScript wrote it ("1795350977642.0012"), cut to its whole part; 0 if it is none.
std::int64_t whole_number(std::string_view text);

/// Payload of the channel `completed` (val: the result's JSON text as a string) or `failed` (val: the
/// message).
std::string finish_payload(const JobId& id, std::string_view value);

}  // namespace gaur::bull
