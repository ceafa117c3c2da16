#pragma once
// finish_and_take, the locks of what was taken, the sweep, and what wakes delayed jobs.
// Thread-safety: that of Store.
#include <map>
#include <mutex>
#include <set>

#include "bull/shared.hpp"
#include "bull/waiting_index.hpp"

namespace gaur::bull {

struct ScanAhead;  // scanning.cpp

/// What the store remembers between turns; a new process starts without it. Thread-safety: `mutex` guards
/// all.
struct TakeMemory {
  std::mutex mutex;
  static constexpr std::size_t kMostOwners = 10'000;
  std::map<SessionName, std::string> owners;  ///< lane -> the worker whose turns come on it
  struct Sighting {
    Instant first{};
    std::uint32_t times = 0;
  };
  struct OfQueue {
    bool drained = true;  ///< as in Bull: told once, when the first take finds nothing
    std::map<JobId, std::string>
        functions;              ///< of jobs that were looked at and left, where it is a field of the data
    Instant functions_since{};  ///< when the oldest of them may have been read
    std::map<JobId, Sighting> unlocked;  ///< active without a lock, by the last sweeps
    std::set<JobId> own;                 ///< held by one of `owners` when a sweep saw it last
    struct HeldLock {
      std::uint32_t attempts_made = 0, stalled = 0;
      std::string deduplication;  ///< id of its debounce key, or ""
    };
    /// What was taken and not finished yet, so that finishing need not read it again. Only a saving: what is
    /// not here is read.
    std::map<JobId, HeldLock> held;
    WaitingIndex index;     ///< of what waits further back than a turn looks
    bool scanning = false;  ///< a scan of it is under way
    bool audited = false;   ///< its next audit has its time
    std::shared_ptr<ScanAhead> ahead;
  };
  std::map<QueueName, OfQueue> queues;

  /// Lanes may come and go for ever: beyond kMostOwners they are learned anew, each by its next turn. Call it
  /// with the mutex held.
  void remember_owner(const SessionName& session, const std::string& by);
  /// "" if no worker of this store took it. Call it with the mutex held.
  const std::string& owner_of(std::string_view token) const;
};

class Scanning;

class FinishAndTake {
 public:
  explicit FinishAndTake(SharedPtr shared);

  Async<TakeReply> finish_and_take(TakeRequest turn);
  Async<ExtendReply> extend_locks(ExtendRequest request);
  Async<Recovered> recover(RecoverRequest request);
  Async<std::vector<JobId>> reclaim(ReclaimRequest request);
  Async<QueueHint> wake_delayed(QueueName queue);
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string field,
                                                        std::uint32_t limit);
  /// A job's data are others now, and perhaps its function.
  void data_changed(const JobRef& job);

  const std::shared_ptr<TakeMemory>& memory() const { return memory_; }

 private:
  SharedPtr shared_;
  std::shared_ptr<TakeMemory> memory_;
  std::shared_ptr<Scanning> scanning_;
};

/// What the hash of cancels says, of the runs that `by` has: id, text, id, text ... Call it with the mutex
/// held.
std::vector<CancelRequest> cancels_of(const redis::Reply& reply, const QueueName& queue,
                                      const std::string& by, const TakeMemory& memory);
/// "count,age" as scripts read it.
std::string keep_argument(const Retention& keep);

}  // namespace gaur::bull
