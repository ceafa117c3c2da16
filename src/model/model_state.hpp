#pragma once
// The data of the reference model, in standard containers. A job is in exactly one set; insert_last(),
// make_ready(), make_waiting() and delay_until() insert it, remove_from_set() removes it.
// Thread-safety: none; guarded by the lock of ModelStore.
#include <deque>
#include <map>
#include <tuple>
#include <variant>

#include "core/semantics.hpp"
#include "core/store.hpp"

namespace gaur::model {

/// A planted mistake. The tests check that the random histories find each of them.
enum class Mutation : std::uint8_t {
  kNone,
  /// A crash loses the last acknowledged add.
  kAckBeforeSync,
  /// A late finish of an older run is accepted.
  kNoTokenCheck,
  /// An add does not serve a long poll.
  kLostWakeUp,
  /// A promoted job stays in the delayed set as well.
  kDoublePromote,
  /// Counts still include the jobs that retention removed.
  kCountDrift,
  /// A repeated operation is executed again.
  kRepeatExecuted,
  /// Backfill takes capacity that the blocked head needs.
  kBackfillDelaysHead,
  /// A rejected finish releases the lock.
  kLockReleasedOnReject,
};
std::string_view to_string(Mutation mutation);

/// A cancel of a running job. Take replies and lock renewals report it until the run ends, wait_for_work
/// once.
struct PendingCancel {
  std::string who, why;
  /// False under Semantics::expired_locks_are_forgotten if the lock had expired: no owner gets the cancel.
  bool has_owner = true;
  /// By wait_for_work.
  bool reported = false;
};

struct Record {
  Job job;
  /// Of the current run.
  LockToken token;
  Instant lock_until{};
  /// StallLimit::kFailsOnNextStart: it fails instead of its next start.
  bool fails_at_start = false;
  Time ready_since{};
  std::vector<std::string> logs;
  std::optional<PendingCancel> cancel;
};

enum class ListEnd : std::uint8_t { kBack, kFront };

struct QueueState {
  std::map<JobId, Record> jobs;
  /// The front is taken first.
  std::deque<JobId> waiting;
  /// By priority; the front is taken first.
  std::map<std::uint32_t, std::deque<JobId>> prioritized;
  /// By due time, then by arrival or (Semantics::ties_by_id) by low bits and id.
  std::map<std::tuple<Time, std::uint64_t, JobId>, JobId> delayed;
  /// Semantics::Front::kOfAll: all ready jobs in the order of Bull's single list.
  std::deque<JobId> bull_list;
  /// In the order of taking and of finishing.
  std::deque<JobId> active, completed, failed;
  bool paused = false;
  std::optional<std::uint32_t> concurrency;
  std::uint64_t last_id = 0, last_delayed = 0, last_event = 0;
  /// Jobs that became ready so far.
  std::uint64_t arrivals = 0;
  /// The newest 10 000.
  std::deque<Event> log;
  /// Mutation::kCountDrift.
  std::int64_t count_error = 0;

  Record* find(const JobId& id);
  /// Inserts the job into the waiting or prioritized jobs, depending on its priority.
  void make_ready(Record& record, ListEnd end);
  /// Inserts the job into the waiting jobs whatever its priority, as Bull's manual retry does.
  void make_waiting(Record& record, ListEnd end);
  /// `low_bits` orders jobs of the same due time (Semantics::ties_by_id); without it, arrival does.
  void delay_until(Record& record, Time due, std::optional<std::uint64_t> low_bits);
  /// Inserts the job at the end of the active, completed or failed jobs, or by id among those that finished
  /// in the same millisecond.
  void insert_last(Record& record, State state, bool ties_by_id);
  /// Removes the job from its set. The caller sets its new state.
  void remove_from_set(const Record& record);
  void erase(const JobId& id);

  std::vector<JobId> in_take_order(const Semantics& semantics) const;
  std::vector<JobId> ids_in(State state, const Semantics& semantics) const;
  /// How many jobs would be taken before this one; 0 if it is not ready.
  std::uint64_t before(const Record& record, const Semantics& semantics) const;
  std::uint64_t ready() const;
  Counts counts() const;
  std::deque<JobId>& finished(State state) { return state == State::kCompleted ? completed : failed; }

 private:
  void insert_into_bull_list(const Job& job, ListEnd end);
};

struct Session {
  std::uint64_t sequence = 0;
  std::variant<std::vector<Added>, TakeReply> reply;
};

/// The data that survives a crash.
struct DurableState {
  std::map<QueueName, QueueState> queues;
  std::map<SessionName, Session> sessions;
  /// Jobs taken by requests without a sequence number.
  std::uint64_t unnumbered = 0;
};

}  // namespace gaur::model
