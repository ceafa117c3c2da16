#pragma once
// What one host (one gaur process on one machine) is doing: the machine's room, what is granted of it and
// to whom. Served at GET /v1/host. Thread-safety: a value.
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
  std::uint32_t runners = 0;       ///< child processes alive, those below included
  std::uint32_t busy = 0;          ///< with a job
  std::uint32_t starting = 0;      ///< not ready yet
  std::uint64_t started = 0;       ///< runners ever started
  std::uint64_t crashed = 0;       ///< of them died under a job or before they were ready
  std::uint64_t memory_bytes = 0;  ///< sum of what they use now
  std::string broken;              ///< why the pool cannot start runners now; "" while it can
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

/// Jobs that nobody here can start: their function, or the whole queue, is not configured on this host.
struct UnservedJobs {
  QueueName queue;
  FunctionName function;  ///< "": the whole queue
  std::uint64_t jobs = 0;
  bool exact = true;  ///< false: at least so many
};

/// A queue of which this host takes no jobs, while it takes those of others.
struct RefusedQueue {
  QueueName queue;
  std::string why;  ///< a sentence, with what to do
};

struct HostStatus {
  std::string name;
  std::string version;
  Time started{};
  double cores = 0;                  ///< that Gaur may grant
  std::uint64_t memory_bytes = 0;    ///< likewise: the machine's, less what is reserved
  std::uint64_t reserved_bytes = 0;  ///< left to the system and to the server itself
  double cores_granted = 0;          ///< now
  std::uint64_t memory_granted = 0;  ///< now
  std::uint32_t slots = 0;           ///< runs of functions that say nothing about their needs, side by side
  std::string slots_sum;             ///< how `slots` follows from the machine, in words
  std::vector<RunStatus> runs;
  std::vector<PoolStatus> pools;
  std::string role = "worker";  ///< "worker", "producer" (takes no jobs), "sweeper" (heals, takes none)
  std::string phase;            ///< "running", "quiet", "stopping", ...
  std::string store;   ///< what stands behind it, without secrets: "redis 7.0.15 at redis://h:6379/0"
  bool ready = false;  ///< takes jobs and can run them
  bool stopping = false;
  std::vector<UnservedJobs> unserved;   ///< jobs that wait for a function that this host does not serve
  std::vector<std::string> not_ready;   ///< why not, each a sentence; empty when ready
  std::uint64_t spill_bytes = 0;        ///< that running runners have on disk now
  std::uint64_t spill_max_bytes = 0;    ///< 0: no bound
  std::uint64_t results_bytes = 0;      ///< result files, as of some seconds ago
  std::uint64_t results_max_bytes = 0;  ///< 0: no bound
  std::uint64_t disk_free_bytes = 0;    ///< of the file system of the data folder
  std::vector<std::string> warnings;    ///< what an operator should look at, though jobs run
  std::vector<QueueName>
      mixed_queues;  ///< Bull queues that BullMQ's clients use as well; `warnings` says more
  std::vector<RefusedQueue> refused_queues;  ///< those, and others that cannot be used
};

/// What whoever may write can ask of the host. Each from any thread; none blocks.
struct HostControl {
  std::function<void()> quiet{};   ///< take no more; what runs goes on
  std::function<void()> resume{};  ///< take again
  /// Quiet, up to `patience` for what runs, then back to the queue with it; then the process ends.
  std::function<void(Duration patience)> leave{};
};

/// Asks the host for its status. The future may be fulfilled on any thread, soon.
using HostView = std::function<Future<HostStatus>()>;
/// A job that waits or is delayed, as its store knows it.
struct WaitingJob {
  QueueName queue;
  FunctionName function;
  State state = State::kWaiting;
  std::uint32_t attempts_made = 0;
  std::optional<Time> due{};
  bool paused = false;  ///< its queue
  std::optional<Position> position{};
};
/// Why it waits: "needs 6 cores and 6.0 GB; 2 cores and 4.0 GB are free". Every waiting job has a reason.
using WhyWaiting = std::function<Future<std::optional<std::string>>(WaitingJob job)>;

}  // namespace gaur
