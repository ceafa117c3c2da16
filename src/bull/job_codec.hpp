#pragma once
// A job as Bull 4 stores it: hash fields and options JSON, both ways. A field that cannot be read keeps its
// default: a job that another client wrote must never fail a take request. Thread-safety: pure functions.
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gaur/job.hpp"
#include "redis_store/dialect.hpp"

namespace gaur::bull {

/// `options` as Bull stores them, one JSON object on one line. Without `timestamp` unless one is given: the
/// script adds it. removeOnComplete and removeOnFail are never null. Members that Bull does not know
/// (queueTimeout, keepLogs, backoff.jitter) are written only if they differ from the default; Bull clients
/// ignore them.
std::string options_to_json(const JobOptions& options);

/// The options from the stored text. Unknown members are ignored.
JobOptions options_from_json(std::string_view text);

/// The stored options as a JSON object, {} if they are not one: for `repeat`, `prevMillis` and other members.
json::Object options_object(std::string_view text);

/// `fields`: HGETALL's reply: field, value, field, value ...
/// attempts_made is attemptsMade, plus one for a completed run. attempts_started is attemptsMade +
/// stalledCounter + uncounted starts, plus one for a run that is active or completed. Every text is UTF-8;
/// data, progress and result are JSON. Data that is not JSON becomes a JSON string, and data_invalid contains
/// the reason.
Job job_from_hash(const QueueName& queue, const JobId& id, const redis::Reply::Array& fields,
                  const redis_store::JobPlacement& placement);

/// Payload of the channel `completed` (val: the result's JSON text as a string) or `failed` (val: the
/// message).
std::string finish_payload(const JobId& id, std::string_view value);
/// Payload of the channel `progress`.
std::string progress_payload(const JobId& id, std::string_view progress);

}  // namespace gaur::bull
