#pragma once
// The locks of active jobs. They are in memory only, because opening the store requeues every active job.
// Thread-safety: confined to the writer.
#include <optional>
#include <unordered_map>
#include <vector>

#include "embedded/keys.hpp"
#include "gaur/names.hpp"

namespace gaur::embedded {

/// A cancel of a running job. Take replies and lock renewals report it until the run ends, wait_for_work
/// once.
struct PendingCancel {
  std::string who, why;
  /// By wait_for_work.
  bool reported = false;
};

struct Lock {
  LockToken token;
  Instant until{};
  std::string worker;
  std::optional<PendingCancel> cancel;
  /// Disk space that is reserved until the run ends, see SpaceGuard.
  std::uint64_t reserved_bytes = 0;
  /// The part of it that is left for log lines.
  std::uint64_t log_bytes = 0;
};

/// The locks by job, with an undo log of the open transaction.
class LockTable {
 public:
  const Lock* find(JobKey job) const {
    const auto found = locks_.find(job);
    return found == locks_.end() ? nullptr : &found->second;
  }
  void take(JobKey job, Lock lock) {
    log_undo(job);
    set(job, std::move(lock));
  }
  void release(JobKey job) {
    if (!locks_.contains(job)) return;
    log_undo(job);
    set(job, std::nullopt);
  }

  // The following four require that the job has a lock; mark_reported() also requires a cancel.
  void renew(JobKey job, Instant until) {
    log_undo(job);
    locks_.at(job).until = until;
  }
  void use_log_bytes(JobKey job, std::uint64_t bytes) {
    log_undo(job);
    locks_.at(job).log_bytes -= bytes;
  }
  void request_cancel(JobKey job, PendingCancel cancel) {
    log_undo(job);
    Lock lock = locks_.at(job);
    lock.cancel = std::move(cancel);
    set(job, std::move(lock));
  }
  void mark_reported(JobKey job) {
    log_undo(job);
    locks_.at(job).cancel->reported = true;
  }

  /// Outside of a transaction: abort() does not revert it.
  void extend_all(Duration by) {
    for (auto& [job, lock] : locks_) lock.until += by;
  }

  bool empty() const { return locks_.empty(); }
  /// Of all locks.
  std::uint64_t reserved_bytes() const { return reserved_bytes_; }
  bool any_cancels() const { return cancels_ > 0; }
  /// Keeps the changes since the last commit() or abort().
  void commit() { undo_.clear(); }
  /// Reverts them.
  void abort() {
    for (auto change = undo_.rbegin(); change != undo_.rend(); ++change)
      set(change->job, std::move(change->before));
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
  void log_undo(JobKey job) {
    const Lock* before = find(job);
    undo_.push_back({job, before == nullptr ? std::nullopt : std::optional(*before)});
  }
  /// Inserts, replaces, or (without `lock`) erases.
  void set(JobKey job, std::optional<Lock> lock) {
    const Lock* before = find(job);
    if (before != nullptr && before->cancel) --cancels_;
    if (lock && lock->cancel) ++cancels_;
    reserved_bytes_ -= before == nullptr ? 0 : before->reserved_bytes;
    reserved_bytes_ += lock ? lock->reserved_bytes : 0;
    if (lock) {
      locks_.insert_or_assign(job, *std::move(lock));
    } else {
      locks_.erase(job);
    }
  }

  std::unordered_map<JobKey, Lock, JobKeyHash> locks_;
  std::vector<Change> undo_;
  std::uint64_t cancels_ = 0;
  std::uint64_t reserved_bytes_ = 0;
};

}  // namespace gaur::embedded
