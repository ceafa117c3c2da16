#pragma once
// The reference model of a Store: simple rather than fast, and not durable. Tests compare the real stores
// with it; tests of workers and servers use it as their store.
//
// It decides what store.hpp leaves open, for all stores of this project:
//  - A session does not remember an operation that was rejected as a whole: a repeat is executed as a new
//  one.
//    A sequence number below the session's last is kInvalidArgument. A repeat of an open long poll joins it.
//  - A take request becomes a long poll only if it took nothing and no head was blocked. Its finishes are
//    committed at once.
//  - Every verb that makes a job ready and every take request serve the long polls, oldest first, before
//  their
//    own reply.
//  - Jobs that one step requeues (recovery, reopening) keep the order in which they were taken.
//  - A delayed job that becomes ready goes to the back, LIFO or not.
//  - finish: kNotFound (no such job), kLockMissing (not active, or its lock expired), kLockMismatch.
//    extend_locks never returns kNotFound: for the holder, a removed job is a lost lock.
//  - Starts are not limited: only attempts (by the worker) and stalls (max_stalled) end a job.
//  - retry clears result, failure and times; reset_attempts sets attempts_made to 0 but never
//    attempts_started, which is the fencing number.
//  - Take replies and lock renewals of the owner report a cancel of a running job until the run ends;
//    wait_for_work reports it once. wait_for_work answers for queues in which a job became ready since the
//    worker's last answer.
//  - Events: one for each transition. `previous` of an active event is the real state. `drained` follows a
//    take request that finished the last job of a queue without ready and active jobs.
//
// Thread-safety: internally locked. Waits (long polls, wait_for_work, events) end by a timer if the store was
// made with a Loop; with a plain Executor they end at the next tick() or verb.
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <set>

#include "base/env.hpp"
#include "model/model_state.hpp"

namespace gaur {

class ModelStore final : public Store {
 public:
  ModelStore(const Clock& clock, Executor& completions, Semantics semantics = Semantics::bullmq(),
             model::Mutation mutation = model::Mutation::kNone);
  ModelStore(const Clock& clock, Loop& completions, Semantics semantics = Semantics::bullmq(),
             model::Mutation mutation = model::Mutation::kNone);
  ~ModelStore() override;

  /// Simulates a crash and a reopening: waits end with kStopping, locks are lost, and active jobs are
  /// requeued at the front without counting an attempt.
  void crash_and_reopen();
  /// Ends expired waits.
  void tick();

  Capabilities capabilities() const override;

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

  Async<Job> get(JobRef job) override;
  Async<State> state(JobRef job) override;
  Async<Position> position(JobRef job) override;
  Async<std::vector<QueueName>> queues() override;
  Async<Counts> counts(QueueName queue) override;
  Async<std::vector<Job>> range(RangeRequest request) override;
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override;
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override;

  Async<Unit> pause(QueueName queue) override;
  Async<Unit> resume(QueueName queue) override;
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override;
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override;
  Async<Unit> obliterate(QueueName queue, bool force) override;
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) override;
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) override;
  Async<Unit> remove_deduplication(QueueName queue, std::string id) override;

  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override;

 private:
  using Record = model::Record;
  using QueueState = model::QueueState;
  struct LongPoll {
    TakeRequest request;
    TakeReply reply;
    Instant until;
    std::vector<Promise<Result<TakeReply>>> callers;
  };
  struct WorkWait {
    WorkRequest request;
    Instant until;
    Promise<Result<WorkReply>> promise;
  };
  struct EventWait {
    QueueName queue;
    std::uint64_t after;
    std::uint32_t limit;
    Instant until;
    Promise<Result<EventPage>> promise;
  };
  enum class Decision : std::uint8_t { kTake, kSkip, kEnd };
  struct Selection {
    std::vector<Taken> taken;
    std::optional<BlockedHead> blocked;
    std::uint64_t skipped = 0;
  };

  class Step;

  template <class T>
  void deliver(const Promise<Result<T>>& promise, Result<T> value);
  template <class T>
  Async<T> answer(Result<T> value);
  /// Runs `verb(queue, job)` under the lock, or answers kNotFound.
  template <class T, class Verb>
  Async<T> on_job(const JobRef& ref, Verb verb);

  /// The reply to an operation that is a repeat; nothing if the operation is new.
  template <class T>
  Result<std::optional<T>> remembered_reply(const OperationId& op) const;
  template <class T>
  void remember(const OperationId& op, const T& reply);

  // model_store.cpp
  Result<std::vector<Added>> add_all(const AddRequest& request);
  Added add_one(QueueState& queue, const QueueName& name, const NewJob& job, std::uint64_t number);
  /// The second sort key of delayed jobs under Semantics::ties_by_id.
  std::optional<std::uint64_t> low_bits(std::uint64_t number) const;
  std::optional<std::uint64_t> low_bits(const JobId& id) const;
  Result<Record*> find(const JobRef& job);
  void record(QueueState& queue, EventKind kind, const JobId& id, std::optional<State> previous = {},
              std::string detail = {});
  void move_to_ready(QueueState& queue, Record& job, State previous, model::ListEnd end);

  // model_edits.cpp
  void fail_waiting(QueueState& queue, Record& job, State previous);

  // model_reader.cpp
  static Error not_in_state(const Record& job, std::string_view wanted);

  // model_take.cpp
  void complete(TakeReply& reply, const QueueState& queue, const TakeRequest& request,
                Selection selection) const;
  Selection take(QueueState& queue, const TakeRequest& request);
  Decision decide(const AdmissionFilter& filter, const Record& job, const FunctionName& function,
                  Resources& free, Resources& spare, Selection& selection) const;
  Taken start(QueueState& queue, Record& job, const TakeRequest& request, std::size_t index,
              FunctionName function);
  QueueHint hint_for(const QueueState& queue, std::uint64_t skipped) const;

  // model_finish.cpp
  Result<FinishResult> finish(QueueState& queue, const Finish& finish);
  Result<FinishResult> apply_outcome(QueueState& queue, Record& stored, const Finish& finish);
  static FinishResult current_result(const Job& job);
  FinishResult retry_run(QueueState& queue, Record& job, Duration delay);
  FinishResult stall(QueueState& queue, Record& job, std::uint32_t max_stalled, const Failure& failure,
                     const Retention& keep);
  FinishResult finish_run(QueueState& queue, Record& job, State state, const Retention& keep,
                          std::string detail);
  void retain(QueueState& queue, State state, const Retention& keep);

  // model_locks.cpp
  Status check_lock(Record& job, const LockToken& token) const;
  std::vector<CancelRequest> cancels_for(const QueueState& queue, const QueueName& name,
                                         const std::string& worker) const;

  // model_waits.cpp
  void tick_at(Instant when);
  void end_expired_waits();
  void end_long_poll(std::list<LongPoll>::iterator poll);
  void answer_long_poll(const LongPoll& poll);
  void end_long_polls_of(const SessionName& session);
  void serve_long_polls();
  void answer_waits();
  std::optional<WorkReply> work_for(const WorkRequest& request);
  EventPage page_after(const QueueState& queue, std::uint64_t after, std::uint32_t limit) const;

  const Clock& clock_;
  Executor& executor_;
  Loop* loop_ = nullptr;
  const Semantics semantics_;
  const model::Mutation mutation_;

  mutable std::mutex mutex_;  // guards the following
  model::DurableState state_;
  std::vector<JobRef> last_added_;  // Mutation::kAckBeforeSync only
  std::list<LongPoll> long_polls_;  // oldest first
  std::list<WorkWait> work_waits_;
  std::list<EventWait> event_waits_;
  /// QueueState::arrivals at the last answer of wait_for_work, by worker and queue.
  std::map<std::pair<std::string, QueueName>, std::uint64_t> reported_;
  /// Shared with timers, which may outlive this object.
  std::shared_ptr<std::atomic<ModelStore*>> alive_;
};

}  // namespace gaur
