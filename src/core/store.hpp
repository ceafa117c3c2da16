#pragma once
// The seam that everything hangs on: where jobs live. Job verbs only; no storage verb, no connection
// or transaction type is in sight.
//
// Thread-safety: every verb from any thread. Every verb is asynchronous: its Future is fulfilled on the
// executor given to the store at construction, never inside the verb nor on a writer thread.
// Atomicity: one call is one atomic step, batches included, unless its comment says otherwise.
// Durability: a fulfilled Future without error means that the change is as durable as the store's
// `durability` promises; kDisconnected and kTimeout mean that the outcome is unknown.
// Sending again: operations that carry an OperationId may be sent again with the same one; the store answers
// a repeat of a lane's last number with the first answer and changes nothing.
//
// This interface is private to the project and grows: not for implementation outside it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/capabilities.hpp"
#include "core/needs.hpp"
#include "core/outcome.hpp"
#include "gaur/future.hpp"
#include "gaur/queue.hpp"

namespace gaur {

/// A lane counts its operations from 1 and has one in flight. Number 0: no protection against repeats.
struct OperationId {
  SessionName session{};
  std::uint64_t sequence = 0;
  bool operator==(const OperationId&) const = default;
};

// ---- producers -------------------------------------------------------------------------------

struct AddRequest {
  QueueName queue{};
  std::vector<NewJob> jobs{};
  OperationId op{};
  /// If waiting + prioritized (+ delayed) would exceed it, the whole request is refused with kQueueFull. 0:
  /// unbounded.
  std::uint64_t max_waiting = 0;
};

// ---- workers ---------------------------------------------------------------------------------

struct RateLimit {
  std::uint32_t max = 0;
  Duration per{0};
};

/// Finish these jobs and take up to `take`, in one atomic step.
struct TakeRequest {
  QueueName queue{};
  OperationId op{};  ///< a token is made of it and the index of the taken job
  std::vector<Finish> finished{};
  std::uint32_t take = 0;  ///< at most; a store that bounds its steps may take fewer and say QueueHint::more
  std::optional<AdmissionFilter> filter{};  ///< nothing: plain first in, first out
  Duration lock{30'000};                    ///< life of each lock taken
  std::optional<RateLimit> limit{};
  std::string worker{};  ///< worker name, shown as processed_by
  /// Above 0 and nothing to take: the turn stays parked for so long, and the first add, promotion or
  /// wake-up that it could take is taken for it in that same step. The next turn of its lane ends a parked
  /// turn at once (it answers empty, first). Stores without kHandOff answer at once.
  Duration park{0};
};

/// What the worker should know to sleep well.
struct QueueHint {
  std::optional<Time> due{};  ///< when the next delayed job of this queue is due, by the store's clock
  /// Jobs wait that this turn did not look at: it took all that it was allowed to, it stopped at a blocked
  /// head, or it stopped at the bound of one step and the next turn continues there. Then another turn is
  /// worth sending at once. False once the whole line was looked at, even if jobs wait in it that cannot
  /// start, and where the store goes on looking by itself: wait_for_work() then reports the queue once it
  /// found something.
  bool more = false;
  bool paused = false;
  std::optional<Duration> limited_for{};  ///< rate limit: no start before
  bool operator==(const QueueHint&) const = default;
};

/// Somebody wants a running job to end.
struct CancelRequest {
  QueueName queue{};
  JobId id{};
  LockToken token{};
  std::string who{}, why{};
  bool operator==(const CancelRequest&) const = default;
};

struct TakeReply {
  std::vector<Result<FinishResult>> finished{};  ///< one for each Finish: one refused stops no other
  std::vector<Taken> taken{};
  std::optional<BlockedHead> blocked{};
  QueueHint next{};
  std::vector<CancelRequest> cancels{};  ///< of jobs that this worker (`by`) holds
};

struct HeldLock {
  JobId id{};
  LockToken token{};
};
struct ExtendRequest {
  QueueName queue{};
  std::vector<HeldLock> held{};
  Duration lock{30'000};
  std::string worker{};
  bool renew = true;  ///< false: only check, the locks' lives stay as they are
};
struct ExtendReply {
  /// kLockMissing (expired; or the job is not active any more: moved or removed), kLockMismatch (taken over).
  /// A lock whose job is not active is not renewed and is dropped.
  std::vector<Status> locks{};
  std::vector<CancelRequest> cancels{};
};

/// The sweep: active jobs whose lock is gone are stalled. Where peers hold locks that nobody renews, `act`,
/// `grace` and `orphans_before` say which of them are left alone.
struct RecoverRequest {
  QueueName queue{};
  std::uint32_t max_stalled = 1;
  Retention keep_failed{};
  bool act = true;  ///< false: only tell (Recovered::left), change nothing
  Duration grace{
      0};  ///< foreign jobs (not taken by `by`) are left for so long after their lock was first seen gone
  std::optional<Time>
      orphans_before{};  ///< started before this: an orphan, told and left. Nothing: there are none
  std::string worker{};
};
/// Active, without a lock, and left as it is.
struct UnlockedJob {
  enum class Why : std::uint8_t { kReportOnly, kGrace, kOrphan };
  JobId id{};
  std::optional<Time> started{};
  Why why = Why::kReportOnly;
  bool operator==(const UnlockedJob&) const = default;
};
struct Recovered {
  std::vector<JobId> requeued{};    ///< waiting again
  std::vector<JobId> failed{};      ///< over max_stalled
  std::vector<UnlockedJob> left{};  ///< told at every sweep, at most 1 000
};

/// At the start of a worker: what an earlier life of it still holds (the host was killed) goes back to the
/// front, uncounted. Only for a name that no other process carries now.
struct ReclaimRequest {
  QueueName queue{};
  SessionName session{};  ///< tokens of the earlier life begin with `<lane>:` or, of further lanes, `<lane>~`
};

struct WorkRequest {
  std::string worker{};
  std::vector<QueueName> queues{};
  Duration at_most{5'000};
};
/// A hint, never the only path: it may come for nothing, and it may be lost.
struct WorkReply {
  std::vector<QueueName> queues{};  ///< may have something to take
  std::vector<CancelRequest> cancels{};
};

/// What producers and workers do to jobs.
class Transitions {
 public:
  virtual ~Transitions() = default;
  virtual Async<std::vector<Added>> add(AddRequest request) = 0;
  virtual Async<TakeReply> finish_and_take(TakeRequest turn) = 0;
  virtual Async<ExtendReply> extend_locks(ExtendRequest request) = 0;
  virtual Async<Recovered> recover(RecoverRequest request) = 0;
  /// Answers what was given back. Stores whose locks die with the process have done it at open: empty.
  virtual Async<std::vector<JobId>> reclaim(ReclaimRequest /*request*/) {
    return ready(Result<std::vector<JobId>>(std::vector<JobId>{}));
  }
  /// Moves due delayed jobs to waiting (at most 1 000); says when the next is due.
  virtual Async<QueueHint> wake_delayed(QueueName queue) = 0;
  virtual Async<WorkReply> wait_for_work(WorkRequest request) = 0;
  /// Waiting, prioritized, delayed, waiting-children: removed from there and kept as failed, code `cancelled`
  /// (kRemoved). Active: the owner is told (kRequested). Completed, failed: kFinished.
  virtual Async<CancelReply> cancel(JobRef job, std::string who, std::string why) = 0;
  /// failed | completed -> waiting or prioritized. Errors: kNotFound, kNotInState.
  virtual Async<Unit> retry(JobRef job, bool reset_attempts) = 0;
  /// delayed -> waiting or prioritized.
  virtual Async<Unit> promote(JobRef job) = 0;
  /// Any state but active with a live lock (kBusy). Removes logs and result as well.
  virtual Async<Unit> remove(JobRef job) = 0;
  virtual Async<Unit> update_data(JobRef job, std::string data) = 0;
  /// With a token: only by the owner of the current run (kLockMissing, kLockMismatch). Without: by anybody.
  virtual Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) = 0;
  virtual Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) = 0;
  virtual Async<Unit> change_delay(JobRef job, Duration delay) = 0;
  virtual Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) = 0;
};

// ---- looking ---------------------------------------------------------------------------------

/// How many ready jobs (waiting or prioritized) ask for one function.
struct WaitingFunction {
  FunctionName function{};
  std::uint64_t jobs = 0;
  bool exact = true;  ///< false: at least so many
  bool operator==(const WaitingFunction&) const = default;
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Async<Job> get(JobRef job) = 0;
  virtual Async<State> state(JobRef job) = 0;
  /// How many would be handed out before it. Errors: kNotFound; kNotInState unless waiting or prioritized.
  virtual Async<Position> position(JobRef job) = 0;
  virtual Async<std::vector<QueueName>> queues() = 0;
  virtual Async<Counts> counts(QueueName queue) = 0;
  virtual Async<std::vector<Job>> range(RangeRequest request) = 0;
  virtual Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) = 0;
  /// The functions that ready jobs of this queue ask for, by name, at most `limit` of them, each counted up
  /// to about 1 000 jobs. `function_field` as in Admit. A store that would have to read every job for it
  /// answers for those jobs that its turns have passed over.
  virtual Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                                std::uint32_t limit) = 0;
};

// ---- administration --------------------------------------------------------------------------

class Admin {
 public:
  virtual ~Admin() = default;
  virtual Async<Unit> pause(QueueName queue) = 0;  ///< no start commits after the answer, until resume
  virtual Async<Unit> resume(QueueName queue) = 0;
  /// Removes what waits (and what is delayed, if asked). The answer counts them.
  virtual Async<std::uint64_t> drain(QueueName queue, bool delayed_too) = 0;
  /// Removes finished jobs older than `grace`, oldest first, at most `limit` (0: all).
  virtual Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) = 0;
  virtual Async<Unit> obliterate(QueueName queue, bool force) = 0;
  virtual Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) = 0;
  virtual Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) = 0;
  virtual Async<Unit> remove_deduplication(QueueName queue, std::string id) = 0;
};

// ---- events ----------------------------------------------------------------------------------

class Events {
 public:
  virtual ~Events() = default;
  /// Up to `limit` events after `cursor` ("": from the oldest kept; "$": only what comes). With none there,
  /// waits up to `at_most` for the first. The log keeps the newest 10 000 of each queue.
  virtual Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                                  Duration at_most) = 0;
};

// ---- optional groups: a store that lacks one returns nullptr and does not name the capability ------------

struct FlowNode {
  QueueName queue{};
  NewJob job{};
  std::vector<FlowNode> children{};
};
struct Dependencies {
  std::map<std::string, std::string> processed{},
      ignored{};  ///< child "queue:id" -> result JSON | failure text
  std::vector<std::string> pending{}, failed{};
};
class Flows {
 public:
  virtual ~Flows() = default;
  virtual Async<std::vector<Added>> add_flow(FlowNode root,
                                             OperationId op) = 0;  ///< parents before children, all or none
  virtual Async<Dependencies> dependencies(JobRef parent) = 0;
  virtual Async<Unit> remove_child_dependency(JobRef child, JobRef parent) = 0;
};

struct Schedule {
  std::string id{};
  std::string pattern{};  ///< cron text, or "" with `every`
  Duration every{0};
  std::string time_zone{};
  std::optional<Time> start{}, end{};
  std::optional<std::uint64_t> limit{};
  NewJob job{};                  ///< the template
  std::optional<Time> next{};    ///< answers only
  std::uint64_t iterations = 0;  ///< answers only
};
class Schedulers {
 public:
  virtual ~Schedulers() = default;
  virtual Async<Added> upsert(QueueName queue, Schedule schedule, Time next) = 0;
  /// Makes the job of slot `next` once `slot` was taken; a repeat is a no-op.
  virtual Async<std::optional<Added>> advance(QueueName queue, std::string id, Time slot, Time next) = 0;
  virtual Async<Unit> remove_schedule(QueueName queue, std::string id) = 0;
  virtual Async<std::vector<Schedule>> schedules(QueueName queue, std::uint64_t offset,
                                                 std::uint32_t limit) = 0;
};

class Store : public Transitions, public Reader, public Admin, public Events {
 public:
  virtual Capabilities capabilities() const = 0;
  virtual Flows* flows() { return nullptr; }
  virtual Schedulers* schedulers() { return nullptr; }
};

}  // namespace gaur
