#pragma once
// Store: the interface of everything that stores jobs. Its methods are operations on jobs; no method exposes
// a connection, a transaction or storage.
//
// Thread-safety: every method from any thread. All are asynchronous: the Future is fulfilled on the executor
// that the store was constructed with, never inside the call and never on a writer thread. Atomicity: one
// call is one atomic step, batches included, unless its comment says otherwise. Durability: a fulfilled
// Future without error means that the change is as durable as the store's `durability` promises. After
// kDisconnected and kTimeout the outcome is unknown. Retries: an operation with an OperationId may be sent
// again with the same one. The store returns the first reply to a repeat of a session's last sequence number
// and changes nothing.
//
// Private to the project: the interface changes between versions.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/capabilities.hpp"
#include "core/needs.hpp"
#include "core/outcome.hpp"
#include "core/schedulers.hpp"
#include "gaur/future.hpp"
#include "gaur/queue.hpp"

namespace gaur {

/// A session numbers its operations from 1 and has one in flight. Sequence 0: no protection against repeats.
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
  /// Most jobs that may wait: waiting, prioritized and, depending on the store, delayed. A request that would
  /// exceed it is rejected as a whole with kQueueFull. 0: unbounded.
  std::uint64_t max_waiting = 0;
};

// ---- workers ---------------------------------------------------------------------------------

struct RateLimit {
  std::uint32_t max = 0;
  Duration per{0};
};

/// Finishes these jobs and takes up to `take` jobs, in one atomic step.
struct TakeRequest {
  QueueName queue{};
  /// The lock tokens derive from it and the index of the taken job.
  OperationId op{};
  std::vector<Finish> finished{};
  /// At most. A store that bounds its steps may take fewer and set QueueHint::more.
  std::uint32_t take = 0;
  /// Nothing: first in, first out.
  std::optional<AdmissionFilter> filter{};
  /// Time to live of each lock.
  Duration lock{30'000};
  std::optional<RateLimit> limit{};
  /// Stored as processed_by.
  std::string worker{};
  /// A long poll: if there is nothing to take, the request waits in the store for this time, and the first
  /// add, promotion or wake-up of a job that it may take hands it over in the same step. The next request of
  /// its session ends the long poll at once with an empty reply, which comes first. Stores without kHandOff
  /// reply at once. 0: no long poll.
  Duration long_poll{0};
};

/// What a worker needs to decide when to send the next request.
struct QueueHint {
  /// When the next delayed job of this queue is due, by the store's clock.
  std::optional<Time> due{};
  /// Jobs wait that this request has not looked at: it took as many as it may, it stopped at a blocked head,
  /// or it reached the bound of one step and the next request continues there. Another request is useful at
  /// once. False once all waiting jobs were looked at, even if some of them cannot start, and if the store
  /// continues the search by itself; then wait_for_work() reports the queue when a job was found.
  bool more = false;
  bool paused = false;
  /// Jobs wait that were not taken because the store has no space for their results. The caller asks again
  /// after a while.
  bool store_full = false;
  /// Rate limit: no start before this has passed.
  std::optional<Duration> limited_for{};
  bool operator==(const QueueHint&) const = default;
};

/// A request to cancel a running job.
struct CancelRequest {
  QueueName queue{};
  JobId id{};
  LockToken token{};
  std::string who{}, why{};
  bool operator==(const CancelRequest&) const = default;
};

struct TakeReply {
  /// One for each Finish; a rejected finish does not affect the others.
  std::vector<Result<FinishResult>> finished{};
  std::vector<Taken> taken{};
  std::optional<BlockedHead> blocked{};
  QueueHint next{};
  /// For runs of this worker.
  std::vector<CancelRequest> cancels{};
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
  /// false: checks the locks and does not extend them.
  bool renew = true;
};
struct ExtendReply {
  /// One for each lock. kLockMissing: it expired, or the job is not active any more (moved or removed);
  /// kLockMismatch: a newer run has the lock. The lock of a job that is not active is deleted.
  std::vector<Status> locks{};
  std::vector<CancelRequest> cancels{};
};

/// Recovers stalled jobs: active jobs without a lock. If peers run jobs without renewing locks, `act`,
/// `grace` and `orphans_before` select the unlocked jobs that are not recovered.
struct RecoverRequest {
  QueueName queue{};
  std::uint32_t max_stalled = 1;
  Retention keep_failed{};
  /// false: only reports (Recovered::unlocked), changes nothing.
  bool act = true;
  /// How long to wait before recovering another worker's unlocked job. Plain Bull workers do not renew locks.
  Duration grace{0};
  /// An unlocked job that started earlier is an orphan: it is reported and not recovered. Nothing: no job is
  /// an orphan.
  std::optional<Time> orphans_before{};
  std::string worker{};
};
/// An active job without a lock that was not recovered.
struct UnlockedJob {
  enum class Why : std::uint8_t { kReportOnly, kGrace, kOrphan };
  JobId id{};
  std::optional<Time> started{};
  Why why = Why::kReportOnly;
  bool operator==(const UnlockedJob&) const = default;
};
struct Recovered {
  std::vector<JobId> requeued{};
  /// Stalled more than max_stalled times.
  std::vector<JobId> failed{};
  /// Reported by every call, at most 1 000.
  std::vector<UnlockedJob> unlocked{};
};

/// Requeues the jobs that the previous process of this worker held (the host was killed): to the front, no
/// counter changes. Only valid if no other process uses the name.
struct ReclaimRequest {
  QueueName queue{};
  /// Tokens of the previous process begin with `<session>:` or, for further sessions, `<session>~`.
  SessionName session{};
};

struct WorkRequest {
  std::string worker{};
  std::vector<QueueName> queues{};
  Duration at_most{5'000};
};
/// A hint only: it may be spurious, and it may be lost.
struct WorkReply {
  /// May have jobs to take.
  std::vector<QueueName> queues{};
  std::vector<CancelRequest> cancels{};
};

/// The operations of producers and workers that change jobs.
class Transitions {
 public:
  virtual ~Transitions() = default;
  virtual Async<std::vector<Added>> add(AddRequest request) = 0;
  virtual Async<TakeReply> finish_and_take(TakeRequest request) = 0;
  virtual Async<ExtendReply> extend_locks(ExtendRequest request) = 0;
  virtual Async<Recovered> recover(RecoverRequest request) = 0;
  /// Returns the requeued jobs. A store whose locks end with the process requeues when it opens and returns
  /// none.
  virtual Async<std::vector<JobId>> reclaim(ReclaimRequest /*request*/) {
    return ready(Result<std::vector<JobId>>(std::vector<JobId>{}));
  }
  /// Moves due delayed jobs to waiting (at most 1 000); the reply says when the next one is due.
  virtual Async<QueueHint> wake_delayed(QueueName queue) = 0;
  virtual Async<WorkReply> wait_for_work(WorkRequest request) = 0;
  /// Waiting, prioritized, delayed, waiting-children: the job fails with code `cancelled` (kRemoved). Active:
  /// the worker receives a CancelRequest (kRequested). Completed, failed: kFinished.
  virtual Async<CancelReply> cancel(JobRef job, std::string who, std::string why) = 0;
  /// failed | completed -> waiting or prioritized. Errors: kNotFound, kNotInState.
  virtual Async<Unit> retry(JobRef job, bool reset_attempts) = 0;
  /// delayed -> waiting or prioritized.
  virtual Async<Unit> promote(JobRef job) = 0;
  /// In any state but active with a live lock (kBusy). Removes logs and result as well.
  virtual Async<Unit> remove(JobRef job) = 0;
  virtual Async<Unit> update_data(JobRef job, std::string data) = 0;
  /// With a token: only for the current run (kLockMissing, kLockMismatch). Without: for any caller.
  virtual Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) = 0;
  virtual Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) = 0;
  virtual Async<Unit> change_delay(JobRef job, Duration delay) = 0;
  virtual Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) = 0;
};

// ---- reading ---------------------------------------------------------------------------------

/// The number of ready jobs (waiting or prioritized) of one function.
struct WaitingFunction {
  FunctionName function{};
  std::uint64_t jobs = 0;
  /// false: at least so many.
  bool exact = true;
  bool operator==(const WaitingFunction&) const = default;
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Async<Job> get(JobRef job) = 0;
  virtual Async<State> state(JobRef job) = 0;
  /// The number of jobs that start before it. Errors: kNotFound; kNotInState unless waiting or prioritized.
  virtual Async<Position> position(JobRef job) = 0;
  virtual Async<std::vector<QueueName>> queues() = 0;
  virtual Async<Counts> counts(QueueName queue) = 0;
  virtual Async<std::vector<Job>> range(RangeRequest request) = 0;
  virtual Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) = 0;
  /// The functions of this queue's ready jobs, ordered by name, at most `limit`; counts are exact up to about
  /// 1 000 jobs. `function_field` as in AdmissionFilter. A store that would have to read every job for it
  /// reports only jobs that its take requests have skipped.
  virtual Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                                std::uint32_t limit) = 0;
};

// ---- administration --------------------------------------------------------------------------

class Admin {
 public:
  virtual ~Admin() = default;
  /// After the reply no job of the queue starts until resume().
  virtual Async<Unit> pause(QueueName queue) = 0;
  virtual Async<Unit> resume(QueueName queue) = 0;
  /// Removes waiting jobs, and delayed ones with `delayed_too`. Returns their number.
  virtual Async<std::uint64_t> drain(QueueName queue, bool delayed_too) = 0;
  /// Removes finished jobs older than `grace`, oldest first, at most `limit` (0: all). Returns their number.
  virtual Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) = 0;
  virtual Async<Unit> obliterate(QueueName queue, bool force) = 0;
  virtual Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) = 0;
  virtual Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) = 0;
  virtual Async<Unit> remove_deduplication(QueueName queue, std::string id) = 0;
};

// ---- events ----------------------------------------------------------------------------------

/// Of the ids and details of the events of one page. On Redis a detail can be a whole result. One event is
/// returned whatever its size.
constexpr std::size_t kEventPageBytes = std::size_t{4} << 20U;
inline std::size_t page_bytes_of(const Event& event) {
  return event.id.value.size() + event.detail.size();
}

class Events {
 public:
  virtual ~Events() = default;
  /// Up to `limit` events after `cursor` ("": from the oldest stored; "$": new events only), fewer above
  /// kEventPageBytes. If there are none, waits up to `at_most` for the first. The newest 10 000 events of
  /// each queue are stored.
  virtual Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                                  Duration at_most) = 0;
};

class Store : public Transitions, public Reader, public Admin, public Events {
 public:
  virtual Capabilities capabilities() const = 0;
  /// nullptr without Capability::kSchedulers.
  virtual Schedulers* schedulers() { return nullptr; }
};

}  // namespace gaur
