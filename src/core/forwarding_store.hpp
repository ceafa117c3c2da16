#pragma once
// Base classes of stores that wrap another one: every call is forwarded, and a derived class overrides what
// it changes. Thread-safety: as the wrapped store.
#include "core/store.hpp"

namespace gaur {

/// Fulfilled with the reply after `inspect(reply)`, which may change it.
template <class T, class Inspect>
Async<T> with_inspected(Async<T> future, Inspect inspect) {
  Promise<Result<T>> promise;
  auto inspected = promise.future();
  std::move(future).then([promise, inspect = std::move(inspect)](Result<T> reply) {
    inspect(reply);
    promise.set(std::move(reply));
  });
  return inspected;
}

/// Forwards the methods of Transitions. `Interface`: Transitions, or Store.
template <class Interface>
class ForwardTransitions : public Interface {
 public:
  Async<std::vector<Added>> add(AddRequest request) override { return inner().add(std::move(request)); }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    return inner().finish_and_take(std::move(request));
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return inner().extend_locks(std::move(request));
  }
  Async<Recovered> recover(RecoverRequest request) override { return inner().recover(std::move(request)); }
  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    return inner().reclaim(std::move(request));
  }
  Async<QueueHint> wake_delayed(QueueName queue) override { return inner().wake_delayed(std::move(queue)); }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    return inner().wait_for_work(std::move(request));
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return inner().cancel(std::move(job), std::move(who), std::move(why));
  }
  Async<Unit> retry(JobRef job, bool reset_attempts) override {
    return inner().retry(std::move(job), reset_attempts);
  }
  Async<Unit> promote(JobRef job) override { return inner().promote(std::move(job)); }
  Async<Unit> remove(JobRef job) override { return inner().remove(std::move(job)); }
  Async<Unit> update_data(JobRef job, std::string data) override {
    return inner().update_data(std::move(job), std::move(data));
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return inner().update_progress(std::move(job), std::move(token), std::move(progress));
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return inner().append_logs(std::move(job), std::move(lines));
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    return inner().change_delay(std::move(job), delay);
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return inner().change_priority(std::move(job), priority, lifo);
  }

 protected:
  /// The wrapped store; called for every forwarded call.
  virtual Interface& inner() const = 0;
};

using ForwardingTransitions = ForwardTransitions<Transitions>;

class ForwardingStore : public ForwardTransitions<Store> {
 public:
  Async<Job> get(JobRef job) override { return inner().get(std::move(job)); }
  Async<State> state(JobRef job) override { return inner().state(std::move(job)); }
  Async<Position> position(JobRef job) override { return inner().position(std::move(job)); }
  Async<std::vector<QueueName>> queues() override { return inner().queues(); }
  Async<Counts> counts(QueueName queue) override { return inner().counts(std::move(queue)); }
  Async<std::vector<Job>> range(RangeRequest request) override { return inner().range(std::move(request)); }
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override {
    return inner().logs(std::move(job), offset, limit);
  }
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override {
    return inner().waiting_functions(std::move(queue), std::move(function_field), limit);
  }

  Async<Unit> pause(QueueName queue) override { return inner().pause(std::move(queue)); }
  Async<Unit> resume(QueueName queue) override { return inner().resume(std::move(queue)); }
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override {
    return inner().drain(std::move(queue), delayed_too);
  }
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override {
    return inner().clean(std::move(queue), state, grace, limit);
  }
  Async<Unit> obliterate(QueueName queue, bool force) override {
    return inner().obliterate(std::move(queue), force);
  }
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) override {
    return inner().set_global_concurrency(std::move(queue), at_most);
  }
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) override {
    return inner().set_rate_limit(std::move(queue), limit);
  }
  Async<Unit> remove_deduplication(QueueName queue, std::string id) override {
    return inner().remove_deduplication(std::move(queue), std::move(id));
  }
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override {
    return inner().events(std::move(queue), std::move(cursor), limit, at_most);
  }

  Capabilities capabilities() const override { return inner().capabilities(); }
  Schedulers* schedulers() override { return inner().schedulers(); }
};

}  // namespace gaur
