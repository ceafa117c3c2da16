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
  std::string kind;                ///< "duckdb" or "command"
  std::uint32_t runners = 0;       ///< child processes, busy and starting ones included
  std::uint32_t busy = 0;          ///< with a job
  std::uint32_t starting = 0;      ///< not ready yet
  std::uint64_t started = 0;       ///< runners ever started
  std::uint64_t crashed = 0;       ///< of those: died during a run or before they were ready
  std::uint64_t memory_bytes = 0;  ///< resident memory of all runners
  std::string broken;              ///< why the pool cannot start runners; "" if it can
};

struct RunStatus {
  QueueName queue;
  JobId id;
  FunctionName function;
  std::string pool;
  std::int64_t pid = 0;  ///< of its runner; 0: in this process
  Duration running{0};
  double cores = 0;                ///< granted
  std::uint64_t memory_bytes = 0;  ///< granted
};

/// Jobs that this host cannot start: their function, or the whole queue, is not configured.
struct UnservedJobs {
  QueueName queue;
  FunctionName function;  ///< "": the whole queue
  std::uint64_t jobs = 0;
  bool exact = true;  ///< false: at least so many
};

/// A queue from which this host takes no jobs although it is configured.
struct RefusedQueue {
  QueueName queue;
  std::string why;  ///< a sentence with what to do
};

struct HostStatus {
  std::string name;
  std::string version;
  Time started{};
  double cores = 0;                  ///< capacity that may be granted
  std::uint64_t memory_bytes = 0;    ///< capacity that may be granted: without `reserved_bytes`
  std::uint64_t reserved_bytes = 0;  ///< for the system and the server itself
  double cores_granted = 0;          ///< to active runs
  std::uint64_t memory_granted = 0;  ///< to active runs
  std::uint32_t slots = 0;           ///< concurrent runs of functions without configured needs
  std::string slots_sum;             ///< the calculation of `slots` as text
  std::vector<RunStatus> runs;
  std::vector<PoolStatus> pools;
  /// "worker", "producer" (takes no jobs), "sweeper" (recovers stalled jobs, takes none).
  std::string role = "worker";
  std::string phase;   ///< "running", "quiet", "stopping", ...
  std::string store;   ///< without secrets: "redis 7.0.15 at redis://h:6379/0"
  bool ready = false;  ///< takes jobs and can run them
  bool stopping = false;
  std::vector<UnservedJobs> unserved;   ///< waiting jobs of functions that this host does not serve
  std::vector<std::string> not_ready;   ///< the reasons, each a sentence; empty if ready
  std::uint64_t spill_bytes = 0;        ///< disk space of the active runners
  std::uint64_t spill_max_bytes = 0;    ///< 0: no limit
  std::uint64_t results_bytes = 0;      ///< disk space of result files, some seconds old
  std::uint64_t results_max_bytes = 0;  ///< 0: no limit
  std::uint64_t disk_free_bytes = 0;    ///< of the file system of the data folder
  std::vector<std::string> warnings;    ///< problems that do not prevent jobs from running
  /// Bull queues that BullMQ's clients use as well; `warnings` has details.
  std::vector<QueueName> mixed_queues;
  std::vector<RefusedQueue> refused_queues;  ///< mixed queues, and others that cannot be used
};

/// Control of the host. Each function may be called from any thread; none blocks.
struct HostControl {
  std::function<void()> quiet{};   ///< takes no more jobs; active runs continue
  std::function<void()> resume{};  ///< takes jobs again
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
  bool paused = false;  ///< its queue
  std::optional<Position> position{};
};
/// The reason why a job waits: "needs 6 cores and 6.0 GB; 2 cores and 4.0 GB are free". Every waiting job has
/// one.
using WhyWaiting = std::function<Future<std::optional<std::string>>(WaitingJob job)>;

}  // namespace gaur
