#pragma once
// A job, its options and its states. Value types: copy them freely.
// JSON values (data, result, progress) are carried as UTF-8 JSON text, byte for byte as given.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur {

enum class State : std::uint8_t {
  /// In the queue's list: first in, first out, or last in, first out with JobOptions::lifo.
  kWaiting,
  /// Waiting with a priority above 0.
  kPrioritized,
  /// Its delay has not passed.
  kDelayed,
  /// Taken by a worker.
  kActive,
  /// A parent with unfinished children.
  kWaitingChildren,
  kCompleted,
  kFailed,
};
inline constexpr std::array kAllStates{State::kWaiting, State::kPrioritized,     State::kDelayed,
                                       State::kActive,  State::kWaitingChildren, State::kCompleted,
                                       State::kFailed};
/// "waiting", "prioritized", "delayed", "active", "waiting-children", "completed", "failed".
std::string_view to_string(State state);
std::optional<State> parse_state(std::string_view text);

/// How many finished jobs to keep. Default: all, without limit of time. Both limits apply if both are set.
struct Retention {
  /// Keeps the newest `count`; 0 removes the job as it finishes.
  std::optional<std::uint64_t> count{};
  /// Removes jobs that finished longer ago.
  std::optional<std::chrono::seconds> age{};
  bool operator==(const Retention&) const = default;
};

/// The wait before the next attempt; a = number of attempts made so far (1 after the first).
struct Backoff {
  /// Delay | delay * 2^(a-1).
  enum class Kind : std::uint8_t { kFixed, kExponential };
  Kind kind = Kind::kFixed;
  Duration delay{0};
  /// 0 to 1: the share of the delay that is random.
  double jitter = 0.0;
  bool operator==(const Backoff&) const = default;
};

struct Deduplication {
  std::string id{};
  /// 0: until the job finishes.
  Duration ttl{0};
  bool extend = false, replace = false, reschedule = false, keep_last_if_active = false;
  bool operator==(const Deduplication&) const = default;
};

struct ParentRef {
  QueueName queue{};
  JobId id{};
  enum class OnFailure : std::uint8_t { kWait, kFailParent, kIgnore, kRemove, kContinue };
  OnFailure on_failure = OnFailure::kWait;
  bool operator==(const ParentRef&) const = default;
};

/// As in BullMQ.
inline constexpr std::uint32_t kMaxPriority = (1U << 21) - 1;
inline constexpr std::uint32_t kMaxAttempts = 1'000'000;

struct JobOptions {
  /// The custom id; a second add with the same id returns the first job. Default: the store assigns a number.
  std::optional<JobId> id{};
  /// 0: at once.
  Duration delay{0};
  /// 0: none, started before all priorities; else 1 (first) to 2 097 151.
  std::uint32_t priority = 0;
  /// Adds the job at the front of the waiting list. Does not affect prioritized jobs.
  bool lifo = false;
  /// Most attempts before the job fails, at most kMaxAttempts. 0: the function's configuration, else 1.
  std::uint32_t attempts = 0;
  /// Default: at once.
  Backoff backoff{};
  /// Creation time to record. Default: the store's clock.
  std::optional<Time> timestamp{};
  /// Default: the worker's configuration, else keep all.
  std::optional<Retention> on_complete{}, on_fail{};
  /// Longest run. Lowers the function's timeout, never raises it.
  std::optional<Duration> timeout{};
  /// A job that waits longer for its first run fails. Default: no limit.
  std::optional<Duration> queue_timeout{};
  /// Newest log lines kept; 0: none.
  std::uint32_t keep_logs = 1000;
  /// Newest stack traces kept.
  std::uint32_t stack_trace_limit = 10;
  std::optional<Deduplication> deduplication{};
  std::optional<ParentRef> parent{};
  bool operator==(const JobOptions&) const = default;
};

/// What one run used, as measured by the operating system.
struct Usage {
  /// CPU time, user and system, of the runner and its children.
  std::uint64_t cpu_us = 0;
  /// Highest resident memory during the run; 0: not measured.
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t wall_us = 0;
  /// JSON object of the runner's own metrics (rows, bytes), or empty.
  std::string details{};
  bool operator==(const Usage&) const = default;
};

/// Why a run failed. Programs may depend on `code`; `message` is for people.
struct Failure {
  /// One of error, timeout, queue_timeout, memory, crashed, cancelled, unrecoverable, stalled, invalid_data,
  /// too_large, or a runner's own code.
  std::string code = "error";
  std::string message{};
  /// "" if there is none.
  std::string stack{};
  /// JSON object with details of the failure (position in SQL, signal), or empty.
  std::string details{};
  bool operator==(const Failure&) const = default;
};

/// A result file as its job records it. The file itself can be gone: it expires, or is removed with the job.
struct ResultFileInfo {
  /// Where clients fetch the file: a path of the HTTP API, or with `is_link` an absolute URL.
  std::string url{};
  /// "parquet", "csv", "ndjson", ...
  std::string format{};
  std::uint64_t bytes = 0;
  /// 0: unknown; links do not record it.
  std::uint64_t rows = 0;
  /// Whole seconds.
  Time expires_at{};
  /// The function has `on_large = "url"`: a link that needs no token is the job's whole result.
  bool is_link = false;
  bool operator==(const ResultFileInfo&) const = default;
};

struct Job {
  QueueName queue{};
  JobId id{};
  std::string name{};
  /// JSON text.
  std::string data{};
  JobOptions options{};
  State state = State::kWaiting;
  /// Creation.
  Time timestamp{};
  /// Of the current wait; 0 once due.
  Duration delay{0};
  std::uint32_t priority = 0;
  /// Runs that completed or failed; runs that the host interrupted are not counted.
  std::uint32_t attempts_made = 0;
  /// Counts every start; use it as the fencing number of side effects.
  std::uint32_t attempts_started = 0;
  /// Times its runner died or its lock expired.
  std::uint32_t stalled = 0;
  /// JSON text or "".
  std::string progress{};
  /// JSON text, completed jobs only.
  std::string result{};
  /// Set if the run wrote a file; `result` is then the JSON object beside the file, "null" beside a link.
  std::optional<ResultFileInfo> result_file{};
  /// Of the last failed attempt.
  std::optional<Failure> failure{};
  /// Oldest first.
  std::vector<std::string> stacktrace{};
  /// Delayed jobs only.
  std::optional<Time> due{};
  std::optional<Time> processed_on{}, finished_on{};
  /// Worker name of the last start.
  std::string processed_by{};
  /// Of the last finished run.
  std::optional<Usage> usage{};
  /// Why the stored data is not JSON; `data` then contains it as a JSON string.
  std::string data_invalid{};
  bool operator==(const Job&) const = default;
};

/// The job's result as one JSON text, as the HTTP API and Bull's clients read it: `result` with the member
/// `file`, or the link.
std::string result_json(const Job& job);

/// Limits of one job, checked before anything is stored.
struct Limits {
  std::size_t data_bytes = 1 << 20;
  /// Applies to progress as well.
  std::size_t result_bytes = 1 << 20;
  std::size_t name_bytes = 256;
  std::size_t id_bytes = 128;
  std::size_t log_line_bytes = 16 << 10;
  /// Message and stack are truncated to this.
  std::size_t failure_bytes = 64 << 10;
  std::uint32_t add_batch = 10'000;
};

/// Returns all problems, each "field: rule, was value". The rules are BullMQ 6's: a job that is accepted here
/// is accepted by every peer.
std::vector<std::string> problems_of(const JobOptions& options, const Limits& limits = {});
std::vector<std::string> problems_of_job(std::string_view name, std::string_view data,
                                         const JobOptions& options, const Limits& limits = {});
/// Accepts what Bull accepts: 1 to 480 bytes of UTF-8. Errors: kInvalidArgument.
Status validate_queue_name(std::string_view name);

}  // namespace gaur
