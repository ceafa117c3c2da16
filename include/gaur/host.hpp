#pragma once
// Status and control of one host (one gaur process on one machine): its capacity, active runs and pools.
// Returned by GET /v1/host. Thread-safety: a value.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gaur/future.hpp"
#include "gaur/names.hpp"
#include "gaur/queue.hpp"

namespace gaur {

struct PoolStatus {
  std::string name;
  /// "duckdb" or "command".
  std::string kind;
  /// Child processes, busy and starting ones included.
  std::uint32_t runners = 0;
  /// With a job.
  std::uint32_t busy = 0;
  /// Not ready yet.
  std::uint32_t starting = 0;
  /// Runners ever started.
  std::uint64_t started = 0;
  /// Of those: died during a run or before they were ready.
  std::uint64_t crashed = 0;
  /// Resident memory of all runners.
  std::uint64_t memory_bytes = 0;
  /// Why the pool cannot start runners; "" if it can.
  std::string broken;
};

struct RunStatus {
  QueueName queue;
  JobId id;
  FunctionName function;
  std::string pool;
  /// Of its runner; 0: in this process.
  std::int64_t pid = 0;
  Duration running{0};
  /// Granted.
  double cores = 0;
  /// Granted.
  std::uint64_t memory_bytes = 0;
};

/// Jobs that this host cannot start: their function, or the whole queue, is not configured.
struct UnservedJobs {
  QueueName queue;
  /// "": the whole queue.
  FunctionName function;
  std::uint64_t jobs = 0;
  /// false: at least so many.
  bool exact = true;
};

/// A queue from which this host takes no jobs although it is configured.
struct RefusedQueue {
  QueueName queue;
  /// A sentence with what to do.
  std::string why;
};

struct HostStatus {
  std::string name;
  std::string version;
  Time started{};
  /// Capacity that may be granted.
  double cores = 0;
  /// Capacity that may be granted: without `reserved_bytes`.
  std::uint64_t memory_bytes = 0;
  /// For the system and the server itself.
  std::uint64_t reserved_bytes = 0;
  /// To active runs.
  double cores_granted = 0;
  /// To active runs.
  std::uint64_t memory_granted = 0;
  /// Concurrent runs of functions without configured needs.
  std::uint32_t slots = 0;
  /// The calculation of `slots` as text.
  std::string slots_sum;
  std::vector<RunStatus> runs;
  std::vector<PoolStatus> pools;
  /// "worker", "producer" (takes no jobs), "sweeper" (recovers stalled jobs, takes none).
  std::string role = "worker";
  /// "running", "quiet", "stopping", ...
  std::string phase;
  /// Without secrets: "redis 7.0.15 at redis://h:6379/0".
  std::string store;
  /// Takes jobs and can run them.
  bool ready = false;
  bool stopping = false;
  /// Waiting jobs of functions that this host does not serve.
  std::vector<UnservedJobs> unserved;
  /// The reasons, each a sentence; empty if ready.
  std::vector<std::string> not_ready;
  /// Disk space of the active runners.
  std::uint64_t spill_bytes = 0;
  /// 0: no limit.
  std::uint64_t spill_max_bytes = 0;
  /// Disk space of result files, some seconds old.
  std::uint64_t results_bytes = 0;
  /// 0: no limit.
  std::uint64_t results_max_bytes = 0;
  /// Of the file system of the data folder.
  std::uint64_t disk_free_bytes = 0;
  /// Of the embedded store's file; 0 with Redis, as the next one.
  std::uint64_t store_bytes = 0;
  /// Reserved in it for the results, logs and events of active jobs.
  std::uint64_t store_reserved_bytes = 0;
  /// Its disk is full: adds are rejected, and jobs start only while the reserve has space for their results.
  bool store_full = false;
  /// Problems that do not prevent jobs from running.
  std::vector<std::string> warnings;
  /// Bull queues that BullMQ's clients use as well; `warnings` has details.
  std::vector<QueueName> mixed_queues;
  /// Mixed queues, and others that cannot be used.
  std::vector<RefusedQueue> refused_queues;
};

/// Control of the host. Each function may be called from any thread; none blocks.
struct HostControl {
  /// Takes no more jobs; active runs continue.
  std::function<void()> quiet{};
  /// Takes jobs again.
  std::function<void()> resume{};
  /// Quiet; waits up to `patience` for active runs, requeues the rest, and ends the process.
  std::function<void(Duration patience)> leave{};
};

/// Requests the status of the host. The future may be fulfilled on any thread.
using HostView = std::function<Future<HostStatus>()>;
/// A waiting or delayed job, as its store reports it.
struct WaitingJob {
  QueueName queue;
  FunctionName function;
  State state = State::kWaiting;
  std::uint32_t attempts_made = 0;
  std::optional<Time> due{};
  /// Its queue.
  bool paused = false;
  std::optional<Position> position{};
};
/// The reason why a job waits: "needs 6 cores and 6.0 GB; 2 cores and 4.0 GB are free". Every waiting job has
/// one.
using WhyWaiting = std::function<Future<std::optional<std::string>>(WaitingJob job)>;

}  // namespace gaur
