#pragma once
// Status, counters and events of a worker, for the host status, metrics and logs.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/run.hpp"

namespace gaur {

/// Totals since the start. Thread-safety: a value.
struct WorkerCounters {
  /// Take requests sent, repeats included.
  std::uint64_t takes = 0;
  /// Take requests sent again because their outcome was unknown.
  std::uint64_t repeats = 0;
  std::uint64_t taken = 0;
  std::uint64_t completed = 0;
  /// Failed jobs, without cancelled ones.
  std::uint64_t failed = 0;
  /// Runs that ended because their job was cancelled.
  std::uint64_t cancelled = 0;
  /// Failed attempts that are followed by another.
  std::uint64_t retried = 0;
  /// Handlers that asked for another run later.
  std::uint64_t snoozed = 0;
  /// Runs whose runner died.
  std::uint64_t stalled = 0;
  /// Interrupted runs, not counted as attempts.
  std::uint64_t requeued = 0;
  std::uint64_t timed_out = 0, out_of_memory = 0, queue_timeouts = 0;
  std::uint64_t locks_lost = 0;
  /// Results dropped because the lock was lost or the store rejected the finish.
  std::uint64_t stale_finishes = 0;
  /// Stalled jobs that were requeued or failed.
  std::uint64_t recovered = 0;
  /// Calls that failed or whose outcome is unknown.
  std::uint64_t store_errors = 0;
  std::uint64_t log_lines_dropped = 0;
};

struct RunningJob {
  QueueName queue{};
  JobId id{};
  LockToken run{};
  FunctionName function{};
  std::string name;
  /// From 1.
  std::uint32_t attempt = 1;
  Time started_at{};
  Duration running_for{0};
  Grant grant{};
  std::optional<Duration> timeout{};
  /// Cancelled, lock lost, or the host stops.
  bool stopping = false;
};

enum class WorkerPhase : std::uint8_t { kNew, kRunning, kQuiet, kStopping, kStopped };
std::string_view to_string(WorkerPhase phase);

struct QueueStatus {
  QueueName queue{};
  bool paused = false;
  /// Its head waits for resources.
  bool blocked = false;
  /// A long poll is in the store.
  bool long_poll = false;
  /// The last take request got no reply; it is sent again.
  bool disconnected = false;
  /// Waiting or in flight.
  std::size_t unsent_finishes = 0;
  /// Why no job of it is taken; "" if jobs are.
  std::string refused{};
};

struct WorkerStatus {
  std::string name;
  WorkerPhase phase = WorkerPhase::kNew;
  /// Oldest first.
  std::vector<RunningJob> running{};
  std::vector<QueueStatus> queues{};
  WorkerCounters counters{};
};

/// A run whose finish the store has accepted or rejected.
struct RunReport {
  QueueName queue{};
  JobId id{};
  FunctionName function{};
  /// completed, failed, cancelled, retried, snoozed, stalled, requeued or stale.
  std::string outcome;
  /// Of the failure, or "".
  std::string code;
  /// Of the failure, or why the job was requeued or the result dropped.
  std::string message;
  std::uint32_t attempt = 1;
  /// From ready (added, delay over) to start; 0 for later attempts.
  Duration waited{0};
  Usage usage{};
};

struct StopReport {
  /// Runs that the stop interrupted; their jobs were requeued.
  std::uint64_t requeued = 0;
  /// Of those: runs that ignored the stop.
  std::uint64_t abandoned = 0;
  /// Finishes that did not reach the store; their locks will expire.
  std::uint64_t unsent = 0;
};

/// Called on the worker's loop; must not block. Any may be empty.
struct WorkerEvents {
  std::function<void(const RunningJob&)> on_start{};
  std::function<void(const RunReport&)> on_end{};
  enum class Level : std::uint8_t { kInfo, kWarning, kError };
  std::function<void(Level, const std::string& line)> on_log{};
};

}  // namespace gaur
