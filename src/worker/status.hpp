#pragma once
// What a worker shows: a snapshot for the host view, counters for metrics, callbacks for logs.
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
  std::uint64_t turns = 0;    ///< sent, repeats included
  std::uint64_t repeats = 0;  ///< turns sent again because their outcome was unknown
  std::uint64_t taken = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;     ///< jobs that ended failed here, cancelled ones not counted
  std::uint64_t cancelled = 0;  ///< runs that ended because their job was cancelled
  std::uint64_t retried = 0;    ///< failed attempts with another to come
  std::uint64_t later = 0;      ///< handlers asked for a later run
  std::uint64_t stalled = 0;    ///< runners died under a job
  std::uint64_t requeued = 0;   ///< interrupted runs, nothing counted
  std::uint64_t timed_out = 0, out_of_memory = 0, queue_timeouts = 0;
  std::uint64_t locks_lost = 0;
  std::uint64_t stale_finishes = 0;  ///< results dropped because the lock was lost or the store refused them
  std::uint64_t recovered = 0;       ///< found by the sweep, back or failed
  std::uint64_t store_errors = 0;    ///< verbs that failed or whose outcome is unknown
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
  bool stopping = false;  ///< told to end: cancelled, lock lost, or the host stops
};

enum class WorkerPhase : std::uint8_t { kNew, kRunning, kQuiet, kStopping, kStopped };
std::string_view to_string(WorkerPhase phase);

struct QueueStatus {
  QueueName queue{};
  bool paused = false;
  bool blocked = false;             ///< its head waits for room
  bool parked = false;              ///< a turn of it is parked in the store
  bool disconnected = false;        ///< the last turn got no answer; it is sent again
  std::size_t unsent_finishes = 0;  ///< gathered or on their way
  std::string refused{};            ///< why no job of it is taken; "" while jobs are
};

struct WorkerStatus {
  std::string name;
  WorkerPhase phase = WorkerPhase::kNew;
  std::vector<RunningJob> running{};  ///< oldest first
  std::vector<QueueStatus> queues{};
  WorkerCounters counters{};
};

/// One run that ended and whose finish the store has accepted or refused.
struct RunReport {
  QueueName queue{};
  JobId id{};
  FunctionName function{};
  std::string outcome;  ///< completed, failed, cancelled, retried, later, stalled, requeued, stale
  std::string code;     ///< of the failure, or ""
  std::string message;  ///< of the failure, or why it was given back or dropped
  std::uint32_t attempt = 1;
  Duration waited{0};  ///< from ready (added, delay over) to start; 0 for later attempts
  Usage usage{};
};

struct StopReport {
  std::uint64_t requeued = 0;   ///< runs that were ended by the stop; their jobs went back uncounted
  std::uint64_t abandoned = 0;  ///< of those: runs that did not end when told to
  std::uint64_t unsent = 0;     ///< finishes that did not reach the store; their locks will expire
};

/// Called on the worker's loop; must not block. Any may be empty.
struct WorkerEvents {
  std::function<void(const RunningJob&)> on_start{};
  std::function<void(const RunReport&)> on_end{};
  enum class Level : std::uint8_t { kInfo, kWarning, kError };
  std::function<void(Level, const std::string& line)> on_note{};
};

}  // namespace gaur
