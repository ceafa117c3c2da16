#pragma once
// Options of a worker: its queues, the policies of its functions, its intervals.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/semantics.hpp"
#include "core/store.hpp"
#include "worker/status.hpp"

namespace gaur {

/// How the runs of one function are treated. A job's own options take precedence, except that its `timeout`
/// and `queue_timeout` can only lower those of the function.
struct FunctionPolicy {
  /// Longest run. Default: none.
  std::optional<Duration> timeout{};
  /// A job that waits longer for its first start fails. Default: none.
  std::optional<Duration> queue_timeout;
  /// For jobs without `attempts`. Default: the dialect's.
  std::optional<std::uint32_t> attempts{};
  /// For jobs without `attempts` and `backoff`. Default: no delay.
  std::optional<Backoff> backoff{};
  /// For jobs without their own. Default: all.
  Retention keep_completed{}, keep_failed{};
  /// "functions.rank": the table that failures name as the one to change. Default: none is named.
  std::string configured_in{};
  /// Largest result that is kept. Default: job_limits.result_bytes.
  std::optional<std::size_t> result_bytes{};
  /// false: a job whose runner died fails at once with code `crashed`.
  bool rerun_on_crash = true;
};

struct WorkerOptions {
  /// Stable over restarts: session names and lock tokens contain it. Not empty, without ':'.
  std::string name;
  std::vector<QueueName> queues{};
  std::map<FunctionName, FunctionPolicy> functions{};
  /// For functions that are not listed.
  FunctionPolicy default_policy{};
  /// Starts per time of a queue.
  std::map<QueueName, RateLimit> limits{};
  Semantics semantics{};
  /// Results and progress above the limits are failed attempts, code `too_large`.
  Limits job_limits{};
  /// A job that stalls more often fails.
  std::uint32_t max_stalled = 1;
  /// Uses long polls. Requires Capability::kHandOff: if a reply could be lost, the jobs that a long poll took
  /// would stay active until their locks expire.
  bool hand_off = false;
  /// Take requests of a queue that may be in flight, for LedgerOptions. Without long polls a second request
  /// travels while the store processes the first.
  std::uint32_t takes_in_flight() const { return hand_off ? 1 : 2; }
  /// false: recovers stalled jobs and wakes delayed ones, but takes no jobs.
  bool take = true;

  /// false: the previous process may have ended because of one of its jobs. They are not requeued uncounted:
  /// their locks expire, and recovery counts them as stalled.
  bool reclaim = true;
  /// Recovery of stalled jobs beside workers that do not renew locks (RecoverRequest).
  enum class Stalled : std::uint8_t { kOn, kReport, kOff };
  Stalled stalled = Stalled::kOn;
  Duration grace{0};
  std::optional<Time> orphans_before{};

  /// Time to live of a lock; renewed at half of it.
  Duration lock{30'000};
  /// Interval at which the store is asked whether the running jobs are still active.
  Duration check{500};
  /// Interval of recovering stalled jobs, waking delayed jobs and requesting blocked heads again.
  Duration recover_interval{1'000};
  /// An idle queue is requested again after this even without a hint.
  Duration idle_check{5'000};
  /// How long a long poll and wait_for_work() may take.
  Duration long_poll{5'000};
  /// Updates stored for each run; newer ones replace those that wait.
  std::uint32_t progress_per_second = 20;
  /// How long log lines of a run are collected.
  Duration log_batch{100};
  /// Lines that may wait for each run; further lines are dropped, and the log states their number.
  std::size_t log_lines_waiting = 1'000;
  /// After this time a run that ignores its stop is abandoned and its job requeued.
  Duration stop_grace{5'000};
  /// For the last finishes to reach the store; after it stop() reports them as unsent.
  Duration flush_grace{5'000};

  WorkerEvents events{};
};

}  // namespace gaur
