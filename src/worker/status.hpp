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
  std::uint64_t takes = 0;    ///< take requests sent, repeats included
  std::uint64_t repeats = 0;  ///< take requests sent again because their outcome was unknown
  std::uint64_t taken = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;     ///< failed jobs, without cancelled ones
  std::uint64_t cancelled = 0;  ///< runs that ended because their job was cancelled
  std::uint64_t retried = 0;    ///< failed attempts that are followed by another
  std::uint64_t snoozed = 0;    ///< handlers that asked for another run later
  std::uint64_t stalled = 0;    ///< runs whose runner died
  std::uint64_t requeued = 0;   ///< interrupted runs, not counted as attempts
  std::uint64_t timed_out = 0, out_of_memory = 0, queue_timeouts = 0;
  std::uint64_t locks_lost = 0;
  /// Results dropped because the lock was lost or the store rejected the finish.
  std::uint64_t stale_finishes = 0;
  std::uint64_t recovered = 0;     ///< stalled jobs that were requeued or failed
  std::uint64_t store_errors = 0;  ///< calls that failed or whose outcome is unknown
  std::uint64_t log_lines_dropped = 0;
};

struct RunningJob {
  QueueName queue{};
  JobId id{};
  LockToken run{};
  FunctionName function{};
  std::string name;
  std::uint32_t attempt = 1;  ///< from 1
  Time started_at{};
  Duration running_for{0};
  Grant grant{};
  std::optional<Duration> timeout{};
  bool stopping = false;  ///< cancelled, lock lost, or the host stops
};

enum class WorkerPhase : std::uint8_t { kNew, kRunning, kQuiet, kStopping, kStopped };
std::string_view to_string(WorkerPhase phase);

struct QueueStatus {
  QueueName queue{};
  bool paused = false;
  bool blocked = false;             ///< its head waits for resources
  bool long_poll = false;           ///< a long poll is in the store
  bool disconnected = false;        ///< the last take request got no reply; it is sent again
  std::size_t unsent_finishes = 0;  ///< waiting or in flight
  std::string refused{};            ///< why no job of it is taken; "" if jobs are
};

struct WorkerStatus {
  std::string name;
  WorkerPhase phase = WorkerPhase::kNew;
  std::vector<RunningJob> running{};  ///< oldest first
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
  std::string code;     ///< of the failure, or ""
  std::string message;  ///< of the failure, or why the job was requeued or the result dropped
  std::uint32_t attempt = 1;
  Duration waited{0};  ///< from ready (added, delay over) to start; 0 for later attempts
  Usage usage{};
};

struct StopReport {
  std::uint64_t requeued = 0;   ///< runs that the stop interrupted; their jobs were requeued
  std::uint64_t abandoned = 0;  ///< of those: runs that ignored the stop
  std::uint64_t unsent = 0;     ///< finishes that did not reach the store; their locks will expire
};

/// Called on the worker's loop; must not block. Any may be empty.
struct WorkerEvents {
  std::function<void(const RunningJob&)> on_start{};
  std::function<void(const RunReport&)> on_end{};
  enum class Level : std::uint8_t { kInfo, kWarning, kError };
  std::function<void(Level, const std::string& line)> on_log{};
};

}  // namespace gaur
