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
  kWaiting,          ///< in the queue's list: first in, first out (or LIFO)
  kPrioritized,      ///< waiting with a priority above 0
  kDelayed,          ///< not due yet
  kActive,           ///< taken by a worker
  kWaitingChildren,  ///< a parent whose children are not all done
  kCompleted,
  kFailed,
};
inline constexpr std::array kAllStates{State::kWaiting, State::kPrioritized,     State::kDelayed,
                                       State::kActive,  State::kWaitingChildren, State::kCompleted,
                                       State::kFailed};
/// "waiting", "prioritized", "delayed", "active", "waiting-children", "completed", "failed".
std::string_view to_string(State state);
std::optional<State> parse_state(std::string_view text);

/// How many finished jobs to keep. Default: all, for ever. Both limits hold when both are given.
struct Retention {
  std::optional<std::uint64_t> count{};       ///< keep the newest `count`; 0 removes the job as it finishes
  std::optional<std::chrono::seconds> age{};  ///< remove those that finished longer ago
  bool operator==(const Retention&) const = default;
};

/// Wait before the next attempt, a = number of attempts made so far (1 after the first).
struct Backoff {
  enum class Kind : std::uint8_t { kFixed, kExponential };  ///< delay | delay * 2^(a-1)
  Kind kind = Kind::kFixed;
  Duration delay{0};
  double jitter = 0.0;  ///< 0 to 1: the share of the delay that is drawn at random
  bool operator==(const Backoff&) const = default;
};

struct Deduplication {
  std::string id{};
  Duration ttl{0};  ///< 0: until the job finishes
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

inline constexpr std::uint32_t kMaxPriority = (1U << 21) - 1;  ///< as in BullMQ
inline constexpr std::uint32_t kMaxAttempts = 1'000'000;

struct JobOptions {
  std::optional<JobId>
      id{};           ///< the user's own id; a second add of it answers the first job. Default: the store's
  Duration delay{0};  ///< 0: at once
  std::uint32_t priority = 0;  ///< 0: none, served before all priorities; else 1 (first) to 2 097 151
  bool lifo = false;           ///< to the front of the waiting list. Does not affect prioritized jobs
  /// Runs that may fail before the job fails, at most kMaxAttempts. 0: not given; then what the function's
  /// configuration says, else 1.
  std::uint32_t attempts = 0;
  Backoff backoff{};                ///< default: at once
  std::optional<Time> timestamp{};  ///< creation time to record. Default: the store's clock
  std::optional<Retention> on_complete{},
      on_fail{};                      ///< default: what the worker's configuration says, else keep
  std::optional<Duration> timeout{};  ///< longest run; may lower the function's, never raise it
  std::optional<Duration>
      queue_timeout{};             ///< if it waits longer than this it is failed, not run. Default: for ever
  std::uint32_t keep_logs = 1000;  ///< newest log lines kept; 0: none
  std::uint32_t stack_trace_limit = 10;  ///< newest stack traces kept
  std::optional<Deduplication> deduplication{};
  std::optional<ParentRef> parent{};
  bool operator==(const JobOptions&) const = default;
};

/// What one run used, as measured by the operating system.
struct Usage {
  std::uint64_t cpu_us = 0;          ///< CPU time, user and system, of the runner and its children
  std::uint64_t peak_rss_bytes = 0;  ///< highest resident memory during the run; 0: not measured
  std::uint64_t wall_us = 0;
  std::string details{};  ///< JSON object of the runner's own figures (rows, bytes), or empty
  bool operator==(const Usage&) const = default;
};

/// Why a run failed. `code` is stable and for programs, `message` for people.
struct Failure {
  std::string code = "error";  ///< error, timeout, queue_timeout, memory, crashed, cancelled, unrecoverable,
                               ///< stalled, invalid_data, or a runner's own
  std::string message{};
  std::string stack{};    ///< "" if there is none
  std::string details{};  ///< JSON object of the runner's own figures (position in SQL ...), or empty
  bool operator==(const Failure&) const = default;
};

struct Job {
  QueueName queue{};
  JobId id{};
  std::string name{};
  std::string data{};  ///< JSON text
  JobOptions options{};
  State state = State::kWaiting;
  Time timestamp{};   ///< creation
  Duration delay{0};  ///< of the current wait; 0 once due
  std::uint32_t priority = 0;
  std::uint32_t attempts_made = 0;        ///< runs that finished or failed by the job's own doing
  std::uint32_t attempts_started = 0;     ///< every start; the fencing number for side effects
  std::uint32_t stalled = 0;              ///< times it was lost with its runner or lock
  std::string progress{};                 ///< JSON text or ""
  std::string result{};                   ///< JSON text, completed jobs only
  std::optional<Failure> failure{};       ///< of the last failed attempt
  std::vector<std::string> stacktrace{};  ///< oldest first
  std::optional<Time> due{};              ///< delayed jobs only
  std::optional<Time> processed_on{}, finished_on{};
  std::string processed_by{};    ///< worker name of the last start
  std::optional<Usage> usage{};  ///< of the last finished run
  std::string
      data_invalid{};  ///< why what a peer stored as data is not JSON; `data` holds it as a JSON string
  bool operator==(const Job&) const = default;
};

/// Limits of one job. Checked by every producer path before anything is stored.
struct Limits {
  std::size_t data_bytes = 1 << 20;
  std::size_t result_bytes = 1 << 20;  ///< also progress
  std::size_t name_bytes = 256;
  std::size_t id_bytes = 128;
  std::size_t log_line_bytes = 16 << 10;
  std::size_t failure_bytes = 64 << 10;  ///< message and stack are cut to this
  std::uint32_t add_batch = 10'000;
};

/// Every problem at once, each "field: rule, was value"; empty when there is none.
/// The rules are BullMQ 6's, so that a job accepted here is accepted by every peer.
std::vector<std::string> problems_of(const JobOptions& options, const Limits& limits = {});
std::vector<std::string> problems_of_job(std::string_view name, std::string_view data,
                                         const JobOptions& options, const Limits& limits = {});
/// Whatever Bull takes as a queue's name is one: 1 to 480 bytes of UTF-8. Errors: kInvalidArgument.
Status validate_queue_name(std::string_view name);

}  // namespace gaur
