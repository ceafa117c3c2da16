#pragma once
// Checks the invariants of a store from its replies, its events and snapshots, without a reference store.
//   I1  a job is in exactly one state            I9  times: not before due, due only while delayed
//   I2  no acknowledged job is lost              I11 counts equal the listed jobs
//   I3  no job and no data is invented           I12 events are legal transitions and match the state
//   I5  only the current run can finish          I13 ids are unique
//   I6  a run ends once                          I15 a take request gets at most what it requested
//   I7  a job has one run at a time              I20 no long poll stays open while jobs are ready
//   I8  attempt counters match the starts
// Thread-safety: confined to the test's thread.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/store.hpp"

namespace gaur::conformance {

/// All jobs of a queue at one point in time.
struct QueueSnapshot {
  QueueName queue;
  Counts counts{};
  std::map<State, std::vector<Job>> jobs{};
};

class Checker {
 public:
  // The requests and replies of the clients.
  void added(const AddRequest& request, const std::vector<Added>& reply, Time now);
  /// A take request without a reply yet. Its finishes may be committed already.
  void sent(const TakeRequest& request);
  void took(const TakeRequest& request, const TakeReply& reply, Time now);
  void recovered(const QueueName& queue, const Recovered& reply);
  void retried(const JobRef& job, bool reset);
  /// `due` is empty after a promote.
  void due_changed(const JobRef& job, std::optional<Time> due);
  void data_updated(const JobRef& job, const std::string& data);
  void removed(const JobRef& job);
  /// By drain or clean.
  void may_be_removed_in(const QueueName& queue, const std::set<State>& states);
  void obliterated(const QueueName& queue);
  void reopened();
  /// false: the store has no event log, so the checks of events are off.
  void has_event_log(bool has) { has_event_log_ = has; }
  /// true: reopening leaves unlocked jobs active until recovery finds them.
  void unlocked_stay_active_on_reopen(bool stay) { unlocked_stay_active_ = stay; }

  // The content of the store.
  void snapshot(const QueueSnapshot& snapshot);
  void event(const QueueName& queue, const Event& event);
  void long_poll_open_while_ready(const QueueName& queue, const std::string& worker);

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Known {
    std::string name{}, data{};
    /// Token of the run that has not finished.
    std::optional<LockToken> running{};
    std::optional<Time> due{};
    /// According to the events.
    std::optional<State> state_by_events{};
    /// Runs whose finish has no reply yet.
    std::set<LockToken> ending{};
    bool may_be_removed = false;
    /// It was active when the store was reopened.
    bool may_be_active_unlocked = false;
    std::uint32_t made = 0, started = 0, stalled = 0;
  };
  using Key = std::pair<QueueName, JobId>;

  void violation(std::string_view invariant, const Key& job, std::string what);
  void finished(const QueueName& queue, const Finish& finish, const FinishResult& result);
  void taken(const QueueName& queue, const Taken& taken, Time now);
  bool may_be_missing(const Key& key);
  void one_job(const Key& key, const Job& job);

  std::map<Key, Known> jobs_;
  /// A retention may have removed finished jobs.
  std::map<QueueName, bool> trims_;
  std::vector<std::string> violations_;
  bool has_event_log_ = true;
  bool unlocked_stay_active_ = false;
};

}  // namespace gaur::conformance
