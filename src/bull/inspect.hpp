#pragma once
// Looking at a Bull deployment without changing anything: plain reading commands only (SCAN, LRANGE, ZRANGE,
// HGETALL, GET, PTTL, TYPE, CLIENT LIST, INFO), no script, no key written, every step bounded. What `gaur
// look` and the check at opening stand on. Thread-safety: any thread; futures come as the client's do.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bull/detect.hpp"
#include "bull/queue_scan.hpp"
#include "bull/server_check.hpp"
#include "core/store.hpp"
#include "redis/client.hpp"

namespace gaur::bull {

struct InspectLimits {
  std::uint64_t scanned_keys = 5'000'000;  ///< keys that SCAN may pass while looking for queues
  std::uint32_t queues = 1'000;
  std::uint32_t active = 1'000;   ///< active jobs whose locks are looked at
  std::uint32_t samples = 1'000;  ///< kept completed and failed jobs, each, newest first
  std::uint32_t delayed = 1'000;  ///< overdue delayed jobs that are listed
};

/// Active, and nobody holds its lock.
struct UnlockedActive {
  JobId id{};
  std::string name{};
  std::optional<Time> started{};  ///< processedOn; nothing: it was popped and never locked
  std::optional<Duration> age{};  ///< since then, by the server's clock
  std::uint32_t stalled = 0;      ///< its stalledCounter
};

/// Delayed, due in the past: nobody wakes it.
struct Overdue {
  JobId id{};
  Time due{};
};

/// A connection that a worker of this queue named (process() only: getNextJob() workers have no name).
struct WorkerSeen {
  std::string address{}, command{};
  std::uint64_t age_seconds = 0, idle_seconds = 0;
};

/// A member of `repeat` whose next run could not be computed after the one that is due.
struct UnreadableSchedule {
  std::string key{}, why{};
};

struct QueueLook {
  QueueName queue{};
  Evidence evidence{};
  Counts counts{};
  Time now{};                                    ///< the server's clock at the look
  std::optional<JobId> oldest_waiting{};         ///< the next to be handed out of those without priority
  std::optional<Time> oldest_waiting_since{};    ///< its creation
  std::vector<UnlockedActive> unlocked{};        ///< oldest first
  std::uint64_t active_seen = 0;                 ///< of counts' active, how many were looked at
  std::uint64_t overdue_total = 0;               ///< due more than `kOverdueAfter` ago
  std::vector<Overdue> overdue{};                ///< the oldest of them
  std::optional<Time> next_due{};                ///< of the delayed, the first
  std::uint64_t repeatable = 0;                  ///< members of `repeat`
  std::vector<UnreadableSchedule> unreadable{};  ///< of the first 100 schedules
  bool stalled_check_runs = false;               ///< somebody ran the stalled check within its interval
  std::vector<WorkerSeen> workers{};
};
inline constexpr Duration kOverdueAfter{10'000};

/// What Bull's workers of a queue call their connection; getWorkers() and dashboards find them by it.
std::string worker_connection_name(std::string_view prefix, const QueueName& queue);

class Inspector {
 public:
  Inspector(redis::Client& client, std::string prefix, InspectLimits limits = {});
  ~Inspector();
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  Async<ServerFacts> server();
  /// Names of all queues under the prefix, see find_queues().
  using Found = QueuesFound;
  Async<Found> queues();
  /// The prefixes under which this database has queues, with a few of the queues of each.
  Async<PrefixesFound> prefixes();
  Async<Evidence> dialect(QueueName queue);
  Async<QueueLook> look(QueueName queue);
  /// Kept jobs, newest first, whole (data and result included), at most `limit` and InspectLimits::samples;
  /// read 50 at a time.
  struct Sample {
    Job job{};
    std::uint64_t data_bytes = 0, result_bytes = 0;
  };
  Async<std::vector<Sample>> kept(QueueName queue, State state, std::uint32_t limit);
  /// Jobs that wait, also of a paused queue, at most `limit`: the next to be handed out first; of a longer
  /// line half are the last added. Then as many delayed ones, those that are due first.
  Async<std::vector<Sample>> waiting(QueueName queue, std::uint32_t limit);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with answers on their way
};

}  // namespace gaur::bull
