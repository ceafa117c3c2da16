#pragma once
// What a store remembers from one take request to the next; a new process starts without it.
// Thread-safety: `mutex` guards all.
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/store.hpp"
#include "redis/client.hpp"
#include "redis_store/waiting_index.hpp"

namespace gaur::redis_store {

struct ScanAhead;  // admission_scan.cpp

struct TakeMemory {
  std::mutex mutex;
  static constexpr std::size_t kMostOwners = 10'000;
  /// Session -> the worker that sends on it.
  std::map<SessionName, std::string> owners;
  struct Sighting {
    Instant first{};
    std::uint32_t times = 0;
  };
  struct OfQueue {
    /// `drained` is published once, by the first take request that finds nothing.
    bool drained = true;
    /// Functions of jobs that were looked at and left, where the function is a field of the data.
    std::map<JobId, std::string> functions;
    /// When the oldest of them may have been read.
    Instant functions_since{};
    /// Active jobs without a lock, as the last recoveries saw them.
    std::map<JobId, Sighting> unlocked;
    /// A session of `owners` held them when they were seen last.
    std::set<JobId> own;
    struct HeldLock {
      std::uint32_t attempts_made = 0, stalled = 0;
      /// The id of its deduplication key, or "".
      std::string deduplication;
    };
    /// Jobs that were taken and not finished yet. It saves reading them again; a job that is missing is read.
    std::map<JobId, HeldLock> held;
    /// Of the jobs beyond those that a take request looks at.
    WaitingIndex index;
    /// A scan is under way.
    bool scanning = false;
    /// An audit is under way or scheduled.
    bool audited = false;
    std::shared_ptr<ScanAhead> ahead;
  };
  std::map<QueueName, OfQueue> queues;

  /// Forgets all owners beyond kMostOwners; the next take request of each adds it again. The caller holds the
  /// mutex.
  void remember_owner(const SessionName& session, const std::string& worker);
  /// "" if no worker of this store took the job. The caller holds the mutex.
  const std::string& owner_of(std::string_view token) const;
};

/// The cancellations of runs of `worker`, from the hash `cancels`: id, text, id, text ... The caller holds
/// the mutex.
std::vector<CancelRequest> cancels_of(const redis::Reply& reply, const QueueName& queue,
                                      const std::string& worker, const TakeMemory& memory);

}  // namespace gaur::redis_store
