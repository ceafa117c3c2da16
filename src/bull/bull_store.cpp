#include "bull/bull_store.hpp"

#include "bull/add_jobs.hpp"
#include "bull/event_feed.hpp"
#include "bull/finish_and_take.hpp"
#include "bull/job_operations.hpp"
#include "bull/job_reader.hpp"
#include "bull/queue_admin.hpp"
#include "bull/repeatable_jobs.hpp"
#include "bull/wake_ups.hpp"

namespace gaur::bull {
namespace {

/// Hands each verb to its group; the groups share nothing but what `Shared` holds.
class BullStore final : public Store {
 public:
  explicit BullStore(SharedPtr shared)
      : shared_(shared),
        adding_(shared),
        turning_(shared),
        hints_(shared, turning_.memory()),
        edits_(shared),
        looking_(shared),
        administering_(shared),
        listening_(shared),
        repeating_(std::make_shared<RepeatableJobs>(shared)) {
    shared_->on_found = hints_.hinter();
    shared_->on_taken = [repeating = std::weak_ptr<RepeatableJobs>(repeating_)](const QueueName& queue,
                                                                                const Job& job) {
      if (const auto here = repeating.lock()) here->on_taken(queue, job);
    };
  }
  ~BullStore() override { shared_->open = false; }

  Capabilities capabilities() const override {
    return {Capability::kEveryOption, Capability::kSchedulers,  Capability::kDeduplication,
            Capability::kRateLimit,   Capability::kChangeDelay, Capability::kChangePriority};
  }

  Schedulers* schedulers() override { return repeating_.get(); }

  Async<std::vector<Added>> add(AddRequest request) override { return adding_.add(std::move(request)); }
  Async<TakeReply> finish_and_take(TakeRequest turn) override {
    return turning_.finish_and_take(std::move(turn));
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return turning_.extend_locks(std::move(request));
  }
  Async<Recovered> recover(RecoverRequest request) override { return turning_.recover(std::move(request)); }
  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    return turning_.reclaim(std::move(request));
  }
  Async<QueueHint> wake_delayed(QueueName queue) override { return turning_.wake_delayed(std::move(queue)); }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    return hints_.wait_for_work(std::move(request));
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return edits_.cancel(std::move(job), std::move(who), std::move(why));
  }
  Async<Unit> retry(JobRef job, bool reset_attempts) override {
    return edits_.retry(std::move(job), reset_attempts);
  }
  Async<Unit> promote(JobRef job) override { return edits_.promote(std::move(job)); }
  Async<Unit> remove(JobRef job) override { return edits_.remove(std::move(job)); }
  Async<Unit> update_data(JobRef job, std::string data) override {
    turning_.data_changed(job);
    return edits_.update_data(std::move(job), std::move(data));
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return edits_.update_progress(std::move(job), std::move(token), std::move(progress));
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return edits_.append_logs(std::move(job), std::move(lines));
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    return edits_.change_delay(std::move(job), delay);
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return edits_.change_priority(std::move(job), priority, lifo);
  }
  Async<Job> get(JobRef job) override { return looking_.get(std::move(job)); }
  Async<State> state(JobRef job) override { return looking_.state(std::move(job)); }
  Async<Position> position(JobRef job) override { return looking_.position(std::move(job)); }
  Async<std::vector<QueueName>> queues() override { return looking_.queues(); }
  Async<Counts> counts(QueueName queue) override { return looking_.counts(std::move(queue)); }
  Async<std::vector<Job>> range(RangeRequest request) override { return looking_.range(std::move(request)); }
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override {
    return looking_.logs(std::move(job), offset, limit);
  }
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override {
    return turning_.waiting_functions(std::move(queue), std::move(function_field), limit);
  }
  Async<Unit> pause(QueueName queue) override { return administering_.pause(std::move(queue)); }
  Async<Unit> resume(QueueName queue) override { return administering_.resume(std::move(queue)); }
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override {
    return administering_.drain(std::move(queue), delayed_too);
  }
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override {
    return administering_.clean(std::move(queue), state, grace, limit);
  }
  Async<Unit> obliterate(QueueName queue, bool force) override {
    return administering_.obliterate(std::move(queue), force);
  }
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) override {
    return administering_.set_global_concurrency(std::move(queue), std::move(at_most));
  }
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) override {
    return administering_.set_rate_limit(std::move(queue), std::move(limit));
  }
  Async<Unit> remove_deduplication(QueueName queue, std::string id) override {
    return administering_.remove_deduplication(std::move(queue), std::move(id));
  }
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override {
    return listening_.events(std::move(queue), std::move(cursor), limit, at_most);
  }

 private:
  SharedPtr shared_;
  AddJobs adding_;
  FinishAndTake turning_;
  WakeUps hints_;
  JobOperations edits_;
  JobReader looking_;
  QueueAdmin administering_;
  EventFeed listening_;
  std::shared_ptr<RepeatableJobs>
      repeating_;  // shared with the hook, which outlives the store in answers on their way
};

}  // namespace

std::unique_ptr<Store> make_bull_store(redis::Client& client, Env env, BullOptions options) {
  return std::make_unique<BullStore>(std::make_shared<Shared>(client, env, std::move(options)));
}

}  // namespace gaur::bull
