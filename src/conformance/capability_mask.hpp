#pragma once
// A rig's store as one sees it who knows only what a certain store can tell: answers lose what that store has
// no place for. Held before both stores of a history, it leaves what must be equal. Thread-safety: the test's
// thread.
#include "conformance/store_fixture.hpp"

namespace gaur::conformance {

class CapabilityMask final : public Store {
 public:
  /// `rig` outlives the lens. Its store is asked anew at every call: reopening changes it.
  CapabilityMask(StoreFixture& rig, Capabilities can, Semantics semantics)
      : rig_(rig), can_(can), semantics_(semantics) {}

  Capabilities capabilities() const override { return can_; }

  Async<std::vector<Added>> add(AddRequest request) override { return store().add(std::move(request)); }
  Async<TakeReply> finish_and_take(TakeRequest turn) override;
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return store().extend_locks(std::move(request));
  }
  Async<Recovered> recover(RecoverRequest request) override { return store().recover(std::move(request)); }
  Async<QueueHint> wake_delayed(QueueName queue) override { return store().wake_delayed(std::move(queue)); }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    return store().wait_for_work(std::move(request));
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return store().cancel(std::move(job), std::move(who), std::move(why));
  }
  Async<Unit> retry(JobRef job, bool reset_attempts) override {
    return store().retry(std::move(job), reset_attempts);
  }
  Async<Unit> promote(JobRef job) override { return store().promote(std::move(job)); }
  Async<Unit> remove(JobRef job) override { return store().remove(std::move(job)); }
  Async<Unit> update_data(JobRef job, std::string data) override {
    return store().update_data(std::move(job), std::move(data));
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return store().update_progress(std::move(job), std::move(token), std::move(progress));
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return store().append_logs(std::move(job), std::move(lines));
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    return store().change_delay(std::move(job), delay);
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return store().change_priority(std::move(job), priority, lifo);
  }
  Async<Job> get(JobRef job) override;
  Async<State> state(JobRef job) override { return store().state(std::move(job)); }
  Async<Position> position(JobRef job) override { return store().position(std::move(job)); }
  Async<std::vector<QueueName>> queues() override { return store().queues(); }
  Async<Counts> counts(QueueName queue) override { return store().counts(std::move(queue)); }
  Async<std::vector<Job>> range(RangeRequest request) override;
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override {
    return store().logs(std::move(job), offset, limit);
  }
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override {
    return store().waiting_functions(std::move(queue), std::move(function_field), limit);
  }
  Async<Unit> pause(QueueName queue) override { return store().pause(std::move(queue)); }
  Async<Unit> resume(QueueName queue) override { return store().resume(std::move(queue)); }
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override {
    return store().drain(std::move(queue), delayed_too);
  }
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override {
    return store().clean(std::move(queue), state, grace, limit);
  }
  Async<Unit> obliterate(QueueName queue, bool force) override {
    return store().obliterate(std::move(queue), force);
  }
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) override {
    return store().set_global_concurrency(std::move(queue), at_most);
  }
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) override {
    return store().set_rate_limit(std::move(queue), limit);
  }
  Async<Unit> remove_deduplication(QueueName queue, std::string id) override {
    return store().remove_deduplication(std::move(queue), std::move(id));
  }
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override;

 private:
  Store& store() { return rig_.store(); }
  Job seen(Job job) const;
  template <class T, class Change>
  static Async<T> changed(Async<T> answer, Change change);

  StoreFixture& rig_;
  const Capabilities can_;
  const Semantics semantics_;
};

}  // namespace gaur::conformance
