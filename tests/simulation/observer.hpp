#pragma once
// Checks at the store: every call that reaches the store is executed here, and its reply is checked before
// the network can lose it. conformance::Checker has most invariants; those that need the clients' view or the
// time are here. Thread-safety: confined to one simulation.
#include <functional>
#include <list>
#include <map>
#include <set>

#include "backend.hpp"
#include "conformance/checker.hpp"

namespace gaur::simulation {

/// A start of a job as the store committed it.
struct CurrentRun {
  LockToken token{};
  std::string worker{};
  Instant since{}, lock_until{};
};

class Observer final : public Transitions {
 public:
  Observer(Backend& backend, Store& store, const ManualClock& clock, std::vector<QueueName> queues);

  Async<std::vector<Added>> add(AddRequest request) override;
  Async<TakeReply> finish_and_take(TakeRequest request) override;
  Async<ExtendReply> extend_locks(ExtendRequest request) override;
  Async<Recovered> recover(RecoverRequest request) override;
  Async<QueueHint> wake_delayed(QueueName queue) override;
  Async<WorkReply> wait_for_work(WorkRequest request) override;
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override;
  Async<Unit> retry(JobRef job, bool reset_attempts) override;
  Async<Unit> promote(JobRef job) override;
  Async<Unit> remove(JobRef job) override;
  Async<Unit> update_data(JobRef job, std::string data) override;
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override;
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override;
  Async<Unit> change_delay(JobRef job, Duration delay) override;
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override;
  void pause(const QueueName& queue);
  void resume(const QueueName& queue);
  void clean(const QueueName& queue, State state);
  void drain(const QueueName& queue, bool delayed_too);

  void tick();
  void crash_and_reopen();
  /// Reads events and jobs of every queue and checks them.
  void check();

  using Key = std::pair<QueueName, JobId>;
  /// As of the last check().
  const std::map<Key, Job>& jobs() const { return jobs_; }
  const Counts& counts(const QueueName& queue) const { return counts_.at(queue); }
  bool is_paused(const QueueName& queue) const { return paused_.contains(queue); }
  /// The runs of active jobs.
  const std::map<Key, CurrentRun>& runs() const { return runs_; }
  /// Called with each recovered job whose lock had expired.
  std::function<void(const Key&, const CurrentRun&)> on_recovered;
  std::size_t recovered_count() const { return recovered_; }

  std::vector<std::string> violations() const;
  void violation(std::string text) { violations_.push_back(std::move(text)); }

 private:
  struct Late {
    TakeRequest request;
    Result<TakeReply> reply;
    Promise<Result<TakeReply>> promise;
    bool repeated = false;
  };

  template <class T, class Seen>
  Async<T> observed(Async<T> future, Seen seen);
  template <class T>
  Result<T> now(Async<T> future);
  void settle_late();
  void check_long_polls();
  bool is_repeat(const OperationId& op) const;
  bool exists(const JobRef& job) { return now(store_.get(job)).has_value(); }
  void took(const TakeRequest& request, const TakeReply& reply);
  void finished(const QueueName& queue, const Finish& finish, const FinishResult& result);
  void started(const TakeRequest& request, const Taken& taken);
  void end_run(const Key& key) { runs_.erase(key); }
  void leave_order(const Key& key);
  bool read_events(const QueueName& queue);
  void read_jobs(const QueueName& queue);
  void check_job(const Key& key, const Job& job);
  Time latest_wall();

  Backend& backend_;
  Store& store_;
  const ManualClock& clock_;
  const std::vector<QueueName> queues_;
  conformance::Checker checker_;
  std::list<Late> late_;
  std::vector<TakeRequest> open_polls_;
  std::map<QueueName, std::string> cursors_;
  std::map<Key, Job> jobs_;
  std::map<QueueName, Counts> counts_;
  std::map<Key, CurrentRun> runs_;
  std::set<QueueName> paused_;
  /// Queues with changes that have no event.
  std::set<QueueName> edited_;
  /// Last executed operation of each session.
  std::map<SessionName, std::uint64_t> executed_;
  /// Job data, which is unique in a simulation, by the operation that added it.
  std::map<std::string, Key> data_;
  std::map<Key, std::string> results_;
  std::set<Key> retried_by_hand_;
  /// Jobs without priority, LIFO and delay that never started, in the order of their adds.
  std::map<std::pair<QueueName, std::string>, std::map<std::uint64_t, Key>> order_;
  std::map<Key, std::uint64_t> place_;
  std::uint64_t adds_ = 0;
  std::size_t recovered_ = 0;
  Time latest_wall_{};
  std::vector<std::string> violations_;
};

}  // namespace gaur::simulation
