#include "api/measured_store.hpp"

namespace gaur {

namespace {

constexpr std::size_t kMostRuns = 100'000;  // remembered starts; far above what any machine runs at a time

std::string_view outcome_name(const Outcome& outcome, const FinishResult& moved) {
  struct Name {
    const FinishResult& moved;
    std::string_view operator()(const outcome::Completed&) const { return "completed"; }
    std::string_view operator()(const outcome::Failed& failed) const {
      return failed.failure.code == "cancelled" ? "cancelled" : "failed";
    }
    std::string_view operator()(const outcome::RetryAfter& retry) const {
      return retry.counted ? "retried" : "later";
    }
    std::string_view operator()(const outcome::WaitForChildren&) const { return "waits_for_children"; }
    std::string_view operator()(const outcome::Requeue&) const { return "given_back"; }
    std::string_view operator()(const outcome::Stalled&) const {
      return moved.state == State::kFailed ? "failed" : "stalled";
    }
  };
  return std::visit(Name{moved}, outcome);
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// What one queue's and function's series are, found once and then kept at hand.
struct FunctionSeries {
  Counter* started = nullptr;
  Histogram* wait = nullptr;
  Histogram* run = nullptr;
};

class Measures {
 public:
  Measures(Metrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}

  void added(const QueueName& queue, const Result<std::vector<Added>>& answer) {
    if (answer) {
      const auto fresh =
          std::count_if(answer->begin(), answer->end(), [](const Added& a) { return !a.duplicate; });
      metrics_
          .counter("gaur_jobs_added_total", "Jobs added, duplicates not counted.", {{"queue", queue.value}})
          .add(static_cast<std::uint64_t>(fresh));
    } else {
      metrics_
          .counter("gaur_jobs_refused_total", "Requests to add jobs that the store refused.",
                   {{"queue", queue.value}, {"reason", std::string(to_string(answer.error().code))}})
          .add();
    }
  }

  void turned(const QueueName& queue, const std::vector<Finish>& asked, const Result<TakeReply>& answer) {
    if (!answer) return;
    for (std::size_t i = 0; i < asked.size() && i < answer->finished.size(); ++i) {
      if (answer->finished[i]) {
        ended(queue, asked[i], *answer->finished[i]);
      } else {
        metrics_
            .counter("gaur_finishes_refused_total", "Ends of runs that the store refused, by reason.",
                     {{"queue", queue.value},
                      {"reason", std::string(to_string(answer->finished[i].error().code))}})
            .add();
      }
    }
    for (const Taken& taken : answer->taken) started(queue, taken);
  }

  void cancelled(const QueueName& queue, const char* when) {
    metrics_
        .counter("gaur_jobs_cancelled_total", "Cancelled jobs, by what they did.",
                 {{"queue", queue.value}, {"when", when}})
        .add();
  }

 private:
  struct Run {
    FunctionName function;
    Instant since;
  };

  FunctionSeries& series(const QueueName& queue, const FunctionName& function) {
    auto& found = series_[{queue, function}];
    if (found.started == nullptr) {
      const Labels labels{{"queue", queue.value}, {"function", function.value}};
      found.started = &metrics_.counter("gaur_jobs_started_total", "Starts of runs.", labels);
      found.wait =
          &metrics_.histogram("gaur_job_wait_seconds", "From added (or due) to the start of a run.", labels);
      found.run = &metrics_.histogram("gaur_job_run_seconds", "From start to end of a run.", labels);
    }
    return found;
  }

  void started(const QueueName& queue, const Taken& taken) {
    std::lock_guard lock(mutex_);
    if (series_.size() > Metrics::kMaxSeries) series_.clear();  // the registry folds them into "other"
    if (runs_.size() >= kMostRuns) runs_.clear();
    FunctionSeries& found = series(queue, taken.function);
    found.started->add();
    const Time ready = taken.job.timestamp + taken.job.options.delay;
    // A repeated start waited for something else than its turn; only first starts tell of the queue.
    if (taken.job.attempts_started <= 1) found.wait->observe(std::max(0.0, seconds(clock_.wall() - ready)));
    runs_.insert_or_assign(taken.token, Run{taken.function, clock_.now()});
  }

  void ended(const QueueName& queue, const Finish& finish, const FinishResult& moved) {
    if (moved.state == State::kCompleted || moved.state == State::kFailed) {
      metrics_.finish_rates().mark(queue.value, clock_.now());
    }
    const std::string_view outcome = outcome_name(finish.outcome, moved);
    if (outcome == "cancelled") cancelled(queue, "running");
    std::lock_guard lock(mutex_);
    FunctionName function{"unknown"};  // started by an earlier process of this host
    if (const auto found = runs_.find(finish.token); found != runs_.end()) {
      function = found->second.function;
      const auto ran = std::chrono::duration<double>(clock_.now() - found->second.since).count();
      series(queue, function).run->observe(ran);
      runs_.erase(found);
    }
    metrics_
        .counter("gaur_jobs_finished_total", "Ends of runs, by what they led to.",
                 {{"queue", queue.value}, {"function", function.value}, {"outcome", std::string(outcome)}})
        .add();
  }

  Metrics& metrics_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<QueueName, FunctionName>, FunctionSeries> series_;
  std::unordered_map<LockToken, Run> runs_;
};

class MeasuredStore final : public Store {
 public:
  MeasuredStore(Store& store, Metrics& metrics, const Clock& clock)
      : store_(store), measures_(std::make_shared<Measures>(metrics, clock)) {}

  Async<std::vector<Added>> add(AddRequest request) override {
    Promise<Result<std::vector<Added>>> promise;
    auto future = promise.future();
    const QueueName queue = request.queue;
    store_.add(std::move(request))
        .then([promise, measures = measures_, queue](Result<std::vector<Added>> answer) {
          measures->added(queue, answer);
          promise.set(std::move(answer));
        });
    return future;
  }

  Async<TakeReply> finish_and_take(TakeRequest turn) override {
    Promise<Result<TakeReply>> promise;
    auto future = promise.future();
    auto asked = std::make_shared<std::vector<Finish>>();
    asked->reserve(turn.finished.size());
    for (const Finish& finish : turn.finished) asked->push_back(without_payload(finish));
    const QueueName queue = turn.queue;
    store_.finish_and_take(std::move(turn))
        .then([promise, measures = measures_, asked, queue](Result<TakeReply> answer) {
          measures->turned(queue, *asked, answer);
          promise.set(std::move(answer));
        });
    return future;
  }

  Async<ExtendReply> extend_locks(ExtendRequest r) override { return store_.extend_locks(std::move(r)); }
  Async<Recovered> recover(RecoverRequest r) override { return store_.recover(std::move(r)); }
  Async<std::vector<JobId>> reclaim(ReclaimRequest r) override { return store_.reclaim(std::move(r)); }
  Async<QueueHint> wake_delayed(QueueName queue) override { return store_.wake_delayed(std::move(queue)); }
  Async<WorkReply> wait_for_work(WorkRequest r) override { return store_.wait_for_work(std::move(r)); }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    Promise<Result<CancelReply>> promise;
    auto future = promise.future();
    const QueueName queue = job.queue;
    store_.cancel(std::move(job), std::move(who), std::move(why))
        .then([promise, measures = measures_, queue](Result<CancelReply> answer) {
          if (answer && *answer == CancelReply::kRemoved) measures->cancelled(queue, "waiting");
          promise.set(std::move(answer));
        });
    return future;
  }
  Async<Unit> retry(JobRef job, bool reset) override { return store_.retry(std::move(job), reset); }
  Async<Unit> promote(JobRef job) override { return store_.promote(std::move(job)); }
  Async<Unit> remove(JobRef job) override { return store_.remove(std::move(job)); }
  Async<Unit> update_data(JobRef job, std::string data) override {
    return store_.update_data(std::move(job), std::move(data));
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return store_.update_progress(std::move(job), std::move(token), std::move(progress));
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return store_.append_logs(std::move(job), std::move(lines));
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    return store_.change_delay(std::move(job), delay);
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return store_.change_priority(std::move(job), priority, lifo);
  }

  Async<Job> get(JobRef job) override { return store_.get(std::move(job)); }
  Async<State> state(JobRef job) override { return store_.state(std::move(job)); }
  Async<Position> position(JobRef job) override { return store_.position(std::move(job)); }
  Async<std::vector<QueueName>> queues() override { return store_.queues(); }
  Async<Counts> counts(QueueName queue) override { return store_.counts(std::move(queue)); }
  Async<std::vector<Job>> range(RangeRequest r) override { return store_.range(std::move(r)); }
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override {
    return store_.logs(std::move(job), offset, limit);
  }
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override {
    return store_.waiting_functions(std::move(queue), std::move(function_field), limit);
  }

  Async<Unit> pause(QueueName queue) override { return store_.pause(std::move(queue)); }
  Async<Unit> resume(QueueName queue) override { return store_.resume(std::move(queue)); }
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override {
    return store_.drain(std::move(queue), delayed_too);
  }
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override {
    return store_.clean(std::move(queue), state, grace, limit);
  }
  Async<Unit> obliterate(QueueName queue, bool force) override {
    return store_.obliterate(std::move(queue), force);
  }
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most) override {
    return store_.set_global_concurrency(std::move(queue), at_most);
  }
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit) override {
    return store_.set_rate_limit(std::move(queue), limit);
  }
  Async<Unit> remove_deduplication(QueueName queue, std::string id) override {
    return store_.remove_deduplication(std::move(queue), std::move(id));
  }
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override {
    return store_.events(std::move(queue), std::move(cursor), limit, at_most);
  }

  Capabilities capabilities() const override { return store_.capabilities(); }
  Flows* flows() override { return store_.flows(); }
  Schedulers* schedulers() override { return store_.schedulers(); }

 private:
  /// Token and kind of outcome, without results of up to a megabyte.
  static Finish without_payload(const Finish& finish) {
    Finish out{finish.id, finish.token, outcome::Completed{""}, {}, {}};
    if (const auto* retry = std::get_if<outcome::RetryAfter>(&finish.outcome)) {
      out.outcome = outcome::RetryAfter{retry->delay, {}, retry->counted};
    } else if (std::holds_alternative<outcome::Failed>(finish.outcome)) {
      // The code alone: what was cancelled is not counted as failed.
      out.outcome = outcome::Failed{{.code = std::get<outcome::Failed>(finish.outcome).failure.code}, false};
    } else if (std::holds_alternative<outcome::WaitForChildren>(finish.outcome)) {
      out.outcome = outcome::WaitForChildren{};
    } else if (std::holds_alternative<outcome::Requeue>(finish.outcome)) {
      out.outcome = outcome::Requeue{};
    } else if (std::holds_alternative<outcome::Stalled>(finish.outcome)) {
      out.outcome = outcome::Stalled{};
    }
    return out;
  }

  Store& store_;
  std::shared_ptr<Measures> measures_;  // shared with answers under way, which may outlive this object
};

}  // namespace

std::unique_ptr<Store> make_measured_store(Store& store, Metrics& metrics, const Clock& clock) {
  return std::make_unique<MeasuredStore>(store, metrics, clock);
}

}  // namespace gaur
