#pragma once
// What the reference model remembers, in plain std containers, and the few moves that keep it whole:
// a job stands in exactly one place, and place() and lift() are the only doors in and out.
// Thread-safety: none; ModelStore's lock guards it.
#include <deque>
#include <map>
#include <tuple>
#include <variant>

#include "core/semantics.hpp"
#include "core/store.hpp"

namespace gaur::model {

/// Mistakes planted for the conformance suite, which must find each of them. kNone everywhere else.
enum class Mutation : std::uint8_t {
  kNone,
  kAckBeforeSync,           ///< a crash loses the last acknowledged add
  kNoTokenCheck,            ///< a late finish of an older run is accepted
  kLostWakeUp,              ///< an add does not serve a parked turn
  kDoublePromote,           ///< a promoted job stays in the delayed set as well
  kCountDrift,              ///< counts miss the jobs that retention removed
  kResendTwice,             ///< a repeated operation is carried out again
  kPassDelaysHead,          ///< backfill takes the room that the head waits for
  kLockReleasedBeforeMove,  ///< a refused finish has already released the lock
};
std::string_view to_string(Mutation mutation);

struct CancelMark {
  std::string who, why;
  bool heard = true;         ///< Semantics::expired_locks_are_forgotten: nobody was known to tell
  bool told_waiter = false;  ///< wait_for_work tells once; turns and renewals tell until the run ends
};

struct Record {
  Job job;
  LockToken token;  ///< of the current run
  Instant lock_until{};
  bool condemned = false;  ///< StallLimit::kFailsOnNextStart: fails instead of its next start
  Time ready_since{};
  std::vector<std::string> logs;
  std::optional<CancelMark> cancel;
};

enum class Place : std::uint8_t { kBehind, kInFront };

struct QueueState {
  std::map<JobId, Record> jobs;
  std::deque<JobId> waiting;                               ///< front is handed out first
  std::map<std::uint32_t, std::deque<JobId>> prioritized;  ///< by priority; front first
  /// By due time, then by arrival or (Semantics::ties_by_id) by low bits and id.
  std::map<std::tuple<Time, std::uint64_t, JobId>, JobId> delayed;
  std::deque<JobId>
      line;  ///< Semantics::Front::kOfAll: all that is ready, as Bull's one list has it; front first
  std::deque<JobId> active, completed, failed;  ///< in the order of taking and of finishing
  bool paused = false;
  std::optional<std::uint32_t> concurrency;
  std::uint64_t last_id = 0, last_delayed = 0, last_event = 0;
  std::uint64_t arrivals = 0;  ///< jobs that became ready, ever: what wakes workers
  std::deque<Event> log;       ///< newest 10 000
  std::int64_t drift = 0;      ///< Mutation::kCountDrift

  Record* find(const JobId& id);
  /// Waiting or prioritized, as its priority says; behind or in front of its kind (in `line`: as Bull
  /// counts).
  void make_ready(Record& record, Place where);
  /// `low_bits`: Semantics::ties_by_id; nothing: in order of arrival.
  void delay_until(Record& record, Time due, std::optional<std::uint64_t> low_bits);
  /// Waiting whatever its priority, as Bull's retry by hand leaves it.
  void make_waiting(Record& record, Place where);
  /// Into active, completed or failed, last (or by id among those of its millisecond).
  void put(Record& record, State state, bool ties_by_id);
  /// Out of the place where it stands; its state is for the caller to set.
  void lift(const Record& record);
  void erase(const JobId& id);

  void enter_line(const Job& job, Place where);

  std::vector<JobId> in_order_of_handing_out(const Semantics& semantics) const;
  std::vector<JobId> ids_in(State state, const Semantics& semantics) const;
  /// How many would be handed out before it; 0 for what is not ready.
  std::uint64_t before(const Record& record, const Semantics& semantics) const;
  std::uint64_t ready() const;
  Counts counts() const;
  std::deque<JobId>& finished(State state) { return state == State::kCompleted ? completed : failed; }
};

struct Session {
  std::uint64_t number = 0;
  std::variant<std::vector<Added>, TakeReply> reply;
};

/// Everything that survives a crash.
struct World {
  std::map<QueueName, QueueState> queues;
  std::map<SessionName, Session> sessions;
  std::uint64_t unnumbered = 0;  ///< starts by turns without an operation number
};

}  // namespace gaur::model
