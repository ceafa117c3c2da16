#pragma once
// The embedded store's engine as a Store on one thread: each call is one transaction, and the waits are those
// of embedded::Writer. Thread-safety: confined to one simulation.
#include <list>
#include <optional>

#include "core/store.hpp"
#include "embedded/engine.hpp"
#include "embedded/snapshot.hpp"

namespace gaur::simulation {

class EngineStore final : public Store {
 public:
  EngineStore(const Clock& clock, Executor& completions) : clock_(clock), executor_(completions) {}
  ~EngineStore() override { close(); }

  /// Errors: those of LmdbEnv and Engine.
  Status open(const std::filesystem::path& folder);
  /// All waits end with kStopping.
  void close();
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
  /// Never waits.
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override;

 private:
  struct LongPoll {
    TakeRequest request;
    TakeReply reply;
    Instant until{};
    std::vector<Promise<Result<TakeReply>>> callers;
  };
  struct WorkWait {
    WorkRequest request;
    Instant until{};
    Promise<Result<WorkReply>> promise;
  };

  template <class T>
  void deliver(const Promise<Result<T>>& promise, Result<T> value) {
    executor_.post([promise, value = std::move(value)] { promise.set(value); });
  }
  template <class T>
  Async<T> answer(Result<T> value) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    deliver(promise, std::move(value));
    return future;
  }
  /// One write transaction: the verb, then the waits that it ends, then the commit.
  template <class T, class Verb>
  Async<T> write(Verb verb);
  template <class T, class Look>
  Async<T> read(Look look);
  void begin();
  void commit();
  void serve_long_polls();
  void end_long_polls_of(const SessionName& session);
  void answer_work_waits();

  const Clock& clock_;
  Executor& executor_;
  std::unique_ptr<embedded::LmdbEnv> env_;
  std::unique_ptr<embedded::Engine> engine_;
  std::list<LongPoll> long_polls_;  // oldest first
  std::list<WorkWait> work_waits_;
};

}  // namespace gaur::simulation
