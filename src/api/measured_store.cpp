#include "api/measured_store.hpp"

#include "core/forwarding_store.hpp"

namespace gaur {

namespace {

constexpr std::size_t kMostRuns = 100'000;  // recorded starts; far above what one machine runs at a time

std::string_view outcome_name(const Outcome& outcome, const FinishResult& result) {
  struct Name {
    const FinishResult& result;
    std::string_view operator()(const outcome::Completed&) const { return "completed"; }
    std::string_view operator()(const outcome::Failed& failed) const {
      return failed.failure.code == "cancelled" ? "cancelled" : "failed";
    }
    std::string_view operator()(const outcome::RetryAfter& retry) const {
      return retry.counted ? "retried" : "snoozed";
    }
    std::string_view operator()(const outcome::WaitForChildren&) const { return "waits_for_children"; }
    std::string_view operator()(const outcome::Requeue&) const { return "requeued"; }
    std::string_view operator()(const outcome::Stalled&) const {
      return result.state == State::kFailed ? "failed" : "stalled";
    }
  };
  return std::visit(Name{result}, outcome);
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// The series of one queue and function, looked up once.
struct FunctionSeries {
  Counter* started = nullptr;
  Histogram* wait = nullptr;
  Histogram* run = nullptr;
};

class Measures {
 public:
  Measures(Metrics& metrics, const Clock& clock, std::optional<std::set<QueueName>> configured)
      : metrics_(metrics), clock_(clock), configured_(std::move(configured)) {}

  void on_add(const QueueName& given, const Result<std::vector<Added>>& reply) {
    const QueueName& queue = series_name(given);
    if (reply) {
      const auto fresh =
          std::count_if(reply->begin(), reply->end(), [](const Added& a) { return !a.duplicate; });
      metrics_.counter("gaur_jobs_added_total", "Jobs added, without duplicates.", {{"queue", queue.value}})
          .add(static_cast<std::uint64_t>(fresh));
    } else {
      metrics_
          .counter("gaur_jobs_rejected_total", "Requests to add jobs that the store rejected.",
                   {{"queue", queue.value}, {"reason", std::string(to_string(reply.error().code))}})
          .add();
    }
  }

  void on_finish_and_take(const QueueName& queue, const std::vector<Finish>& finished,
                          const Result<TakeReply>& reply) {
    if (!reply) return;
    for (std::size_t i = 0; i < finished.size() && i < reply->finished.size(); ++i) {
      if (reply->finished[i]) {
        on_end(queue, finished[i], *reply->finished[i]);
      } else {
        metrics_
            .counter(
                "gaur_finishes_rejected_total", "Finishes that the store rejected, by reason.",
                {{"queue", queue.value}, {"reason", std::string(to_string(reply->finished[i].error().code))}})
            .add();
      }
    }
    for (const Taken& taken : reply->taken) on_start(queue, taken);
  }

  void on_cancel(const QueueName& given, const char* when) {
    const QueueName& queue = series_name(given);
    metrics_
        .counter("gaur_jobs_cancelled_total",
                 "Cancelled jobs, by their state when cancelled: waiting or running.",
                 {{"queue", queue.value}, {"when", when}})
        .add();
  }

 private:
  struct Run {
    FunctionName function;
    Instant since;
  };

  /// Callers may name any queue, so only configured ones have series of their own.
  const QueueName& series_name(const QueueName& queue) const {
    static const QueueName kOther{"other"};
    return !configured_ || configured_->contains(queue) ? queue : kOther;
  }

  FunctionSeries& series(const QueueName& queue, const FunctionName& function) {
    auto& found = series_[{queue, function}];
    if (found.started == nullptr) {
      const Labels labels{{"queue", queue.value}, {"function", function.value}};
      found.started = &metrics_.counter("gaur_jobs_started_total", "Started runs.", labels);
      found.wait =
          &metrics_.histogram("gaur_job_wait_seconds",
                              "Time from add, or from the end of the delay, to the start of a run.", labels);
      found.run = &metrics_.histogram("gaur_job_run_seconds", "Time from start to end of a run.", labels);
    }
    return found;
  }

  void on_start(const QueueName& queue, const Taken& taken) {
    std::lock_guard lock(mutex_);
    if (series_.size() > Metrics::kMaxSeries)
      series_.clear();  // the registry merges further series into "other"
    if (runs_.size() >= kMostRuns) runs_.clear();
    FunctionSeries& found = series(queue, taken.function);
    found.started->add();
    const Time ready = taken.job.timestamp + taken.job.options.delay;
    // Only first starts measure the queue: a repeated start has waited for its backoff or recovery.
    if (taken.job.attempts_started <= 1) found.wait->observe(std::max(0.0, seconds(clock_.wall() - ready)));
    runs_.insert_or_assign(taken.token, Run{taken.function, clock_.now()});
  }

  void on_end(const QueueName& queue, const Finish& finish, const FinishResult& result) {
    if (result.state == State::kCompleted || result.state == State::kFailed) {
      metrics_.finish_rates().mark(queue.value, clock_.now());
    }
    const std::string_view outcome = outcome_name(finish.outcome, result);
    if (outcome == "cancelled") on_cancel(queue, "running");
    std::lock_guard lock(mutex_);
    FunctionName function{"unknown"};  // started by a previous process of this host
    if (const auto found = runs_.find(finish.token); found != runs_.end()) {
      function = found->second.function;
      const auto ran = std::chrono::duration<double>(clock_.now() - found->second.since).count();
      series(queue, function).run->observe(ran);
      runs_.erase(found);
    }
    metrics_
        .counter("gaur_jobs_finished_total", "Finished runs, by outcome.",
                 {{"queue", queue.value}, {"function", function.value}, {"outcome", std::string(outcome)}})
        .add();
  }

  Metrics& metrics_;
  const Clock& clock_;
  const std::optional<std::set<QueueName>> configured_;
  std::mutex mutex_;
  std::map<std::pair<QueueName, FunctionName>, FunctionSeries> series_;
  std::unordered_map<LockToken, Run> runs_;
};

class MeasuredStore final : public ForwardingStore {
 public:
  MeasuredStore(Store& store, Metrics& metrics, const Clock& clock,
                std::optional<std::set<QueueName>> configured)
      : store_(store), measures_(std::make_shared<Measures>(metrics, clock, std::move(configured))) {}

  Async<std::vector<Added>> add(AddRequest request) override {
    const QueueName queue = request.queue;
    return with_inspected(store_.add(std::move(request)),
                          [measures = measures_, queue](const Result<std::vector<Added>>& reply) {
                            measures->on_add(queue, reply);
                          });
  }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    auto finished = std::make_shared<std::vector<Finish>>();
    finished->reserve(request.finished.size());
    for (const Finish& finish : request.finished) finished->push_back(without_payload(finish));
    const QueueName queue = request.queue;
    return with_inspected(store_.finish_and_take(std::move(request)),
                          [measures = measures_, finished, queue](const Result<TakeReply>& reply) {
                            measures->on_finish_and_take(queue, *finished, reply);
                          });
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    const QueueName queue = job.queue;
    return with_inspected(store_.cancel(std::move(job), std::move(who), std::move(why)),
                          [measures = measures_, queue](const Result<CancelReply>& reply) {
                            if (reply && *reply == CancelReply::kRemoved)
                              measures->on_cancel(queue, "waiting");
                          });
  }

 private:
  /// Token and kind of the outcome, without the result of up to 1 MiB.
  static Finish without_payload(const Finish& finish) {
    Finish out{finish.id, finish.token, outcome::Completed{""}, {}, {}};
    if (const auto* retry = std::get_if<outcome::RetryAfter>(&finish.outcome)) {
      out.outcome = outcome::RetryAfter{retry->delay, {}, retry->counted};
    } else if (std::holds_alternative<outcome::Failed>(finish.outcome)) {
      // Keeps the code: cancelled jobs are not counted as failed.
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

  Store& inner() const override { return store_; }

  Store& store_;
  std::shared_ptr<Measures> measures_;  // shared with pending calls, which may outlive this object
};

}  // namespace

std::unique_ptr<Store> make_measured_store(Store& store, Metrics& metrics, const Clock& clock,
                                           std::optional<std::set<QueueName>> configured) {
  return std::make_unique<MeasuredStore>(store, metrics, clock, std::move(configured));
}

}  // namespace gaur
