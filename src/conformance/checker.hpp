#pragma once
// Invariants that hold for every store whatever it was asked to do, checked from what its clients saw and
// from snapshots, without knowing any other store: partition, no loss, no invention, the fence, one terminal
// an attempt, counters, times, counts, legal moves, unique ids, liveness of parked turns.
// Thread-safety: the test's thread.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/store.hpp"

namespace gaur::conformance {

/// All jobs of a queue at one moment.
struct Snapshot {
  QueueName queue;
  Counts counts{};
  std::map<State, std::vector<Job>> jobs{};
};

class Checker {
 public:
  // What the client sent and heard.
  void added(const AddRequest& request, const std::vector<Added>& reply, Time now);
  /// A turn whose answer has not come: what it finishes may have ended already.
  void sent(const TakeRequest& turn);
  void turned(const TakeRequest& turn, const TakeReply& reply, Time now);
  void recovered(const QueueName& queue, const Recovered& reply);
  void retried(const JobRef& job, bool reset);
  void due_changed(const JobRef& job, std::optional<Time> due);  ///< promoted: nothing
  void data_updated(const JobRef& job, const std::string& data);
  void removed(const JobRef& job);
  void may_vanish(const QueueName& queue, const std::set<State>& states);  ///< drain, clean
  void obliterated(const QueueName& queue);
  void reopened();
  /// false: the store tells no events, and nothing is concluded from their absence.
  void hears_events(bool does) { hears_events_ = does; }
  /// true: what had lost its lock when the store was reopened stays active until the sweep finds it.
  void reopening_spares_lost(bool does) { spares_lost_ = does; }

  // What stands in the store.
  void snapshot(const Snapshot& snapshot);
  void event(const QueueName& queue, const Event& event);
  void parked_while_ready(const QueueName& queue, const std::string& by);

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Known {
    std::string name{}, data{};
    std::optional<LockToken> running{};  ///< token of the run that has not ended
    std::optional<Time> due{};
    std::optional<State> by_events{};  ///< where the events say that it stands
    std::set<LockToken> ending{};      ///< runs whose finish is on its way
    bool may_be_gone = false;
    bool may_be_lost = false;  ///< it ran when the store was reopened
    std::uint32_t made = 0, started = 0, stalled = 0;
  };
  using Key = std::pair<QueueName, JobId>;

  void violation(std::string_view invariant, const Key& job, std::string what);
  void finished(const QueueName& queue, const Finish& finish, const FinishResult& moved);
  void taken(const QueueName& queue, const Taken& taken, Time now);
  bool may_be_absent(const Key& key);
  void one_job(const Key& key, const Job& job);

  std::map<Key, Known> jobs_;
  std::map<QueueName, bool> trims_;  ///< some retention may remove finished jobs
  std::vector<std::string> violations_;
  bool hears_events_ = true;
  bool spares_lost_ = false;
};

}  // namespace gaur::conformance
