#pragma once
// The reference model of a Store: what every store must do, obviously right rather than fast, nothing
// durable. Tests hold real stores against it; workers and servers are tested on top of it.
//
// What store.hpp leaves open is decided here, and holds for every store of ours:
//  - An operation that is refused as a whole is not remembered by its lane: sent again it is judged anew. A
//  number
//    below the lane's last is kInvalidArgument. A repeat of a turn that is still parked joins it.
//  - A turn parks only if it took nothing and nothing blocked it; what it finished is committed all the same.
//  - Parked turns are served, longest parked first, by every verb that makes a job ready and by every turn,
//  before
//    its own answer.
//  - Several jobs given back in one step (sweep, reopening) keep the order in which they were taken.
//  - A delayed job goes behind the others when it wakes, LIFO or not.
//  - finish: kNotFound (no such job), kLockMissing (not active, or its lock is gone), kLockMismatch.
//    extend_locks never says kNotFound: to a holder a removed job is a lost lock.
//  - A job that has started `max_starts` times fails, code `stalled`, when it would start again.
//  - retry clears result, failure and times; reset_attempts sets attempts_made to 0, never attempts_started:
//    that is the fencing number.
//  - A cancel of a running job is told in every turn and renewal of its owner until the run ends, and once by
//    wait_for_work. wait_for_work answers for queues in which a job became ready since the worker's last
//    answer.
//  - Events: one a transition; `previous` of an active event is the true state; drained follows a turn that
//    finished the last job of a queue in which nothing is ready or active.
//
// Thread-safety: internally locked. Waits (parked turns, wait_for_work, events) end by a timer where a Loop
// was given; with a plain Executor by tick() or the next verb.
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <set>

#include "base/env.hpp"
#include "model/model_world.hpp"

namespace gaur {

class ModelStore final : public Store {
 public:
  ModelStore(const Clock& clock, Executor& completions, Semantics semantics = Semantics::bullmq(),
             model::Mutation mutation = model::Mutation::kNone);
  ModelStore(const Clock& clock, Loop& completions, Semantics semantics = Semantics::bullmq(),
             model::Mutation mutation = model::Mutation::kNone);
  ~ModelStore() override;

  /// As if the process had died and opened the store again: waits are answered kStopping, locks are
  /// gone, active jobs stand in front again, uncounted.
  void crash_and_reopen();
  /// Ends the waits whose time is over.
  void tick();

  Capabilities capabilities() const override;

  Async<std::vector<Added>> add(AddRequest request) override;
  Async<TakeReply> finish_and_take(TakeRequest turn) override;
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
  struct Parked {
    TakeRequest turn;
    TakeReply reply;
    Instant until;
    std::vector<Promise<Result<TakeReply>>> waiters;
  };
  struct Waiting {
    WorkRequest request;
    Instant until;
    Promise<Result<WorkReply>> promise;
  };
  struct Following {
    QueueName queue;
    std::uint64_t after;
    std::uint32_t limit;
    Instant until;
    Promise<Result<EventPage>> promise;
  };
  enum class Verdict : std::uint8_t { kTake, kSkip, kEnd };
  struct Walk {
    std::vector<Taken> taken;
    std::optional<BlockedHead> blocked;
    std::uint64_t passed_over = 0;
  };

  /// Holds the lock for one verb; at its end parked turns and waits that can be answered are answered.
  class Step;

  template <class T>
  void deliver(const Promise<Result<T>>& promise, Result<T> value);
  template <class T>
  Async<T> answer(Result<T> value);

  template <class T>
  Result<std::optional<T>> earlier_reply(const OperationId& op) const;
  template <class T>
  void remember(const OperationId& op, const T& reply);

  // model_store.cpp
  Result<std::vector<Added>> add_all(const AddRequest& request);
  Added add_one(QueueState& queue, const QueueName& name, const NewJob& job, std::uint64_t number);
  std::optional<std::uint64_t> low_bits(std::uint64_t number) const;
  std::optional<std::uint64_t> low_bits(const JobId& id) const;
  Result<Record*> find(const JobRef& job);
  void record(QueueState& queue, EventKind kind, const JobId& id, std::optional<State> previous = {},
              std::string detail = {});
  void to_ready(QueueState& queue, Record& job, State previous, model::Place where);
  void end_wait(QueueState& queue, Record& job, State previous);
  static Error not_in_state(const Record& job, std::string_view wanted);

  // model_turn.cpp
  void complete(TakeReply& reply, const QueueState& queue, const TakeRequest& turn, Walk walk) const;
  Status check_lock(Record& job, const LockToken& token) const;
  Result<FinishResult> finish(QueueState& queue, const Finish& finish);
  Result<FinishResult> carry_out(QueueState& queue, Record& job, const Finish& finish);
  static FinishResult where_it_is(const Job& job);
  FinishResult run_later(QueueState& queue, Record& job, Duration delay);
  FinishResult stall(QueueState& queue, Record& job, std::uint32_t max_stalled, const Failure& failure,
                     const Retention& keep);
  FinishResult end_run(QueueState& queue, Record& job, State state, const Retention& keep,
                       std::string detail);
  void retain(QueueState& queue, State state, const Retention& keep);
  Walk take(QueueState& queue, const TakeRequest& turn);
  Verdict judge(const AdmissionFilter& admit, const Record& job, const FunctionName& function,
                Resources& free, Resources& spare, Walk& walk) const;
  Taken start(QueueState& queue, Record& job, const TakeRequest& turn, std::size_t index,
              FunctionName function);
  QueueHint next_of(const QueueState& queue, std::uint64_t passed_over) const;
  std::vector<CancelRequest> cancels_for(const QueueState& queue, const QueueName& name,
                                         const std::string& by) const;

  // model_waits.cpp
  void end_at(Instant when);
  void end_waits_that_are_over();
  void end_parked(std::list<Parked>::iterator parked);
  void end_parked_of(const SessionName& session);
  void serve_parked();
  void serve_waits();
  std::optional<WorkReply> work_for(const WorkRequest& request);
  EventPage page_after(const QueueState& queue, std::uint64_t after, std::uint32_t limit) const;

  const Clock& clock_;
  Executor& executor_;
  Loop* loop_ = nullptr;
  const Semantics semantics_;
  const model::Mutation mutation_;

  mutable std::mutex mutex_;  // guards all below
  model::World world_;
  std::vector<JobRef> last_added_;  // Mutation::kAckBeforeSync only
  std::list<Parked> parked_;
  std::list<Waiting> waiting_;
  std::list<Following> following_;
  std::map<std::pair<std::string, QueueName>, std::uint64_t>
      reported_;                                     // worker and queue -> arrivals at its last answer
  std::shared_ptr<std::atomic<ModelStore*>> alive_;  // shared with timers, which may outlive this object
};

}  // namespace gaur
