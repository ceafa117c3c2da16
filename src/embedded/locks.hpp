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
  std::string by;
  std::optional<CancelMark> cancel;
};

/// Remembers what a transaction changed, so that an aborted one leaves no trace.
class LockTable {
 public:
  Lock* find(JobKey job) {
    const auto found = locks_.find(job);
    return found == locks_.end() ? nullptr : &found->second;
  }
  void take(JobKey job, Lock lock) {
    undo_.push_back({job, std::nullopt});
    locks_.insert_or_assign(job, std::move(lock));
  }
  void release(JobKey job) {
    const auto found = locks_.find(job);
    if (found == locks_.end()) return;
    if (found->second.cancel) --cancels_;
    undo_.push_back({job, std::move(found->second)});
    locks_.erase(found);
  }
  /// False if the job has no lock, or somebody asked before.
  void ask_to_end(Lock& lock, CancelMark mark) {
    if (!lock.cancel) ++cancels_;
    lock.cancel = std::move(mark);
  }
  bool any_cancels() const { return cancels_ > 0; }
  void commit() { undo_.clear(); }
  void abort() {
    for (auto change = undo_.rbegin(); change != undo_.rend(); ++change) {
      if (const auto found = locks_.find(change->job); found != locks_.end()) {
        if (found->second.cancel) --cancels_;
        locks_.erase(found);
      }
      if (!change->before) continue;
      if (change->before->cancel) ++cancels_;
      locks_.emplace(change->job, std::move(*change->before));
    }
    undo_.clear();
  }
  template <class Each>
  void for_each(Each each) {
    for (auto& [job, lock] : locks_) each(job, lock);
  }

 private:
  struct Change {
    JobKey job;
    std::optional<Lock> before;
  };
  std::unordered_map<JobKey, Lock, JobKeyHash> locks_;
  std::vector<Change> undo_;
  std::uint64_t cancels_ = 0;
};

}  // namespace gaur::embedded
