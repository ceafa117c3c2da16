#include "redis_store/redis_store.hpp"

#include "redis_store/add_jobs.hpp"
#include "redis_store/dialect.hpp"
#include "redis_store/event_feed.hpp"
#include "redis_store/finish_and_take.hpp"
#include "redis_store/job_operations.hpp"
#include "redis_store/job_reader.hpp"
#include "redis_store/queue_admin.hpp"
#include "redis_store/wake_ups.hpp"

namespace gaur::redis_store {
namespace {

/// Forwards each verb to its group; the groups share only the StoreContext.
class RedisStore final : public Store {
 public:
  explicit RedisStore(const ContextPtr& context)
      : context_(context),
        adds_(context),
        takes_(context),
        wake_ups_(context, takes_.memory()),
        operations_(context),
        reader_(context),
        admin_(context),
        feed_(context) {
    context_->on_found = wake_ups_.hinter();
    if (context_->dialect.make_schedulers) schedulers_ = context_->dialect.make_schedulers(context_);
    if (schedulers_ == nullptr) return;
    context_->on_taken = [weak = std::weak_ptr<TakenSchedulers>(schedulers_)](const QueueName& queue,
                                                                              const Job& job) {
      if (const auto schedulers = weak.lock()) schedulers->on_taken(queue, job);
    };
  }
  ~RedisStore() override { context_->open = false; }

  Capabilities capabilities() const override { return context_->dialect.capabilities; }
  Schedulers* schedulers() override { return schedulers_.get(); }

  Async<std::vector<Added>> add(AddRequest request) override { return adds_.add(std::move(request)); }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    return takes_.finish_and_take(std::move(request));
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return takes_.extend_locks(std::move(request));
  }
  Async<Recovered> recover(RecoverRequest request) override { return takes_.recover(std::move(request)); }
  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    return takes_.reclaim(std::move(request));
  }
  Async<QueueHint> wake_delayed(QueueName queue) override { return takes_.wake_delayed(std::move(queue)); }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    return wake_ups_.wait_for_work(std::move(request));
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return operations_.cancel(std::move(job), std::move(who), std::move(why));
  }
  Async<Unit> retry(JobRef job, bool reset_attempts) override {
    return operations_.retry(std::move(job), reset_attempts);
  }
  Async<Unit> promote(JobRef job) override { return operations_.promote(std::move(job)); }
  Async<Unit> remove(JobRef job) override { return operations_.remove(std::move(job)); }
  Async<Unit> update_data(JobRef job, std::string data) override {
    takes_.data_changed(job);
    return operations_.update_data(std::move(job), std::move(data));
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return operations_.update_progress(std::move(job), std::move(token), std::move(progress));
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return operations_.append_logs(std::move(job), std::move(lines));
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    return operations_.change_delay(std::move(job), delay);
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return operations_.change_priority(std::move(job), priority, lifo);
  }
  Async<Job> get(JobRef job) override { return reader_.get(std::move(job)); }
  Async<State> state(JobRef job) override { return reader_.state(std::move(job)); }
  Async<Position> position(JobRef job) override { return reader_.position(std::move(job)); }
  Async<std::vector<QueueName>> queues() override { return reader_.queues(); }
  Async<Counts> counts(QueueName queue) override { return reader_.counts(std::move(queue)); }
  Async<std::vector<Job>> range(RangeRequest request) override { return reader_.range(std::move(request)); }
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override {
    return reader_.logs(std::move(job), offset, limit);
  }
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override {
    return takes_.waiting_functions(std::move(queue), std::move(function_field), limit);
  }
  Async<Unit> pause(QueueName queue) override { return admin_.pause(std::move(queue)); }
  Async<Unit> resume(QueueName queue) override { return admin_.resume(std::move(queue)); }
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override {
    return admin_.drain(std::move(queue), delayed_too);
  }
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override {
    return admin_.clean(std::move(queue), state, grace, limit);
  }
  Async<Unit> obliterate(QueueName queue, bool force) override {
    return admin_.obliterate(std::move(queue), force);
  }
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) override {
    return admin_.set_global_concurrency(std::move(queue), std::move(at_most));
  }
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) override {
    return admin_.set_rate_limit(std::move(queue), std::move(limit));
  }
  Async<Unit> remove_deduplication(QueueName queue, std::string id) override {
    return admin_.remove_deduplication(std::move(queue), std::move(id));
  }
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override {
    return feed_.events(std::move(queue), std::move(cursor), limit, at_most);
  }

 private:
  ContextPtr context_;
  AddJobs adds_;
  FinishAndTake takes_;
  WakeUps wake_ups_;
  JobOperations operations_;
  JobReader reader_;
  QueueAdmin admin_;
  EventFeed feed_;
  std::shared_ptr<TakenSchedulers> schedulers_;  // answers that arrive after the store is gone hold it weakly
};

}  // namespace

std::unique_ptr<Store> make_redis_store(redis::Client& client, Env env, Dialect dialect,
                                        StoreOptions options) {
  return std::make_unique<RedisStore>(
      std::make_shared<StoreContext>(client, env, std::move(dialect), std::move(options)));
}

}  // namespace gaur::redis_store
