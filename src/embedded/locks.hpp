#pragma once
// The locks of active jobs: in memory only, for at open every active job is given back.
// Thread-safety: confined to the writer.
#include <optional>
#include <unordered_map>
#include <vector>

#include "embedded/keys.hpp"
#include "gaur/names.hpp"

namespace gaur::embedded {

struct CancelMark {
  std::string who, why;
  bool told_waiter = false;  ///< wait_for_work tells once; turns and renewals tell until the run ends
};

struct Lock {
  LockToken token;
  Instant until{};
  std::string worker;
  std::optional<CancelMark> cancel;
};

/// Remembers what a transaction changed, so that an aborted one leaves no trace: whatever changes a lock goes
/// through this class.
class LockTable {
 public:
  const Lock* find(JobKey job) const {
    const auto found = locks_.find(job);
    return found == locks_.end() ? nullptr : &found->second;
  }
  void take(JobKey job, Lock lock) {
    remember(job);
    put(job, std::move(lock));
  }
  void release(JobKey job) {
    if (!locks_.contains(job)) return;
    remember(job);
    put(job, std::nullopt);
  }
  // The three below: of a lock that is there.
  void renew(JobKey job, Instant until) {
    remember(job);
    locks_.at(job).until = until;
  }
  void ask_to_end(JobKey job, CancelMark mark) {
    remember(job);
    Lock lock = locks_.at(job);
    lock.cancel = std::move(mark);
    put(job, std::move(lock));
  }
  void waiter_told(JobKey job) {
    remember(job);
    locks_.at(job).cancel->told_waiter = true;
  }
  bool any_cancels() const { return cancels_ > 0; }
  void commit() { undo_.clear(); }
  void abort() {
    for (auto change = undo_.rbegin(); change != undo_.rend(); ++change)
      put(change->job, std::move(change->before));
    undo_.clear();
  }
  template <class Each>
  void for_each(Each each) const {
    for (const auto& [job, lock] : locks_) each(job, lock);
  }

 private:
  struct Change {
    JobKey job;
    std::optional<Lock> before;
  };
  void remember(JobKey job) {
    const Lock* before = find(job);
    undo_.push_back({job, before == nullptr ? std::nullopt : std::optional(*before)});
  }
  /// Nothing: erases.
  void put(JobKey job, std::optional<Lock> lock) {
    const Lock* before = find(job);
    if (before != nullptr && before->cancel) --cancels_;
    if (lock && lock->cancel) ++cancels_;
    if (lock) {
      locks_.insert_or_assign(job, *std::move(lock));
    } else {
      locks_.erase(job);
    }
  }

  std::unordered_map<JobKey, Lock, JobKeyHash> locks_;
  std::vector<Change> undo_;
  std::uint64_t cancels_ = 0;
};

}  // namespace gaur::embedded
