#pragma once
// Reads a Bull deployment without changing it: only reading commands (SCAN, HSCAN, LRANGE, ZRANGE, HGETALL,
// GET, PTTL, TYPE, CLIENT LIST, INFO), no script, no key written, every step bounded. For `gaur look` and the
// check at opening. Thread-safety: any thread; futures complete as the client's.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bull/use_as_bull.hpp"
#include "core/store.hpp"
#include "redis/client.hpp"
#include "redis_store/client_list.hpp"
#include "redis_store/queue_scan.hpp"
#include "redis_store/server_facts.hpp"

namespace gaur::bull {

using redis_store::Evidence;
using redis_store::PrefixesFound;
using redis_store::QueuesFound;
using redis_store::ServerFacts;
using redis_store::WorkerSeen;

struct InspectLimits {
  /// Keys that SCAN may pass while looking for queues.
  std::uint64_t scanned_keys = 5'000'000;
  std::uint32_t queues = 1'000;
  /// Active jobs whose locks are read.
  std::uint32_t active = 1'000;
  /// Kept completed and failed jobs, each, newest first.
  std::uint32_t samples = 1'000;
  /// Overdue delayed jobs that are listed.
  std::uint32_t delayed = 1'000;
};

/// An active job without a lock.
struct UnlockedActive {
  JobId id{};
  std::string name{};
  /// processedOn; nothing if it was moved to `active` and never locked.
  std::optional<Time> started{};
  /// Since then, by the server's clock.
  std::optional<Duration> age{};
  /// Its stalledCounter.
  std::uint32_t stalled = 0;
};

/// A delayed job that is due and was not moved to the waiting jobs.
struct Overdue {
  JobId id{};
  Time due{};
};

/// A member of `repeat` whose iteration after the next one cannot be computed.
struct UnreadableSchedule {
  std::string key{}, why{};
};

/// An id that Gaur removed from a list or set because no job belongs to it.
struct SetAside {
  std::string id{};
  /// Where it was: wait, delayed or active.
  std::string from{};
  /// "its key is a string, not a hash".
  std::string why{};
};

struct QueueLook {
  QueueName queue{};
  Evidence evidence{};
  Counts counts{};
  /// The server's clock.
  Time now{};
  /// The next one without priority.
  std::optional<JobId> oldest_waiting{};
  /// Its creation.
  std::optional<Time> oldest_waiting_since{};
  /// Oldest first.
  std::vector<UnlockedActive> unlocked{};
  /// How many of the active jobs were read.
  std::uint64_t active_seen = 0;
  /// Due more than `kOverdueAfter` ago.
  std::uint64_t overdue_total = 0;
  /// The oldest of them.
  std::vector<Overdue> overdue{};
  /// Of the delayed, the first.
  std::optional<Time> next_due{};
  /// Members of `repeat`.
  std::uint64_t repeatable = 0;
  /// Of the first 100 schedules.
  std::vector<UnreadableSchedule> unreadable{};
  /// A Bull worker ran the stalled check within its interval.
  bool stalled_check_runs = false;
  std::vector<WorkerSeen> workers{};
};
inline constexpr Duration kOverdueAfter{10'000};

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
  /// The ids that were set aside, about 1 000 at most. None if the user may not read Gaur's own keys.
  Async<std::vector<SetAside>> set_aside(QueueName queue);
  /// Kept jobs with data and result, newest first, at most `limit` and InspectLimits::samples. Reads 50 at a
  /// time.
  struct Sample {
    Job job{};
    std::uint64_t data_bytes = 0, result_bytes = 0;
  };
  Async<std::vector<Sample>> kept(QueueName queue, State state, std::uint32_t limit);
  /// Waiting jobs, also of a paused queue, at most `limit`: the next one first; of a longer list half are the
  /// newest. Then as many delayed jobs, the first due ones.
  Async<std::vector<Sample>> waiting(QueueName queue, std::uint32_t limit);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with answers on their way
};

}  // namespace gaur::bull
