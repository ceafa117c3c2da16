#include "app/host/unserved_watch.hpp"

#include <fmt/format.h>

namespace gaur::app {

namespace {
constexpr Duration kEvery{5'000};
constexpr std::uint32_t kMostFunctions = 1'000;  // a queue
constexpr std::size_t kMostReported = 1'000;
}  // namespace

void UnservedWatch::start() {
  parts_.loop.post([this] { check(); });
}

std::vector<UnservedJobs> UnservedWatch::found() const {
  std::lock_guard lock(mutex_);
  return found_;
}

void UnservedWatch::check() {
  if (stopped_) return;
  if (!parts_.owns_store) {
    std::vector<QueueName> configured;
    for (const auto& [name, queue] : parts_.config.queues) configured.emplace_back(name);
    return check_next(std::move(configured), {});
  }
  parts_.store.queues().then([this](Result<std::vector<QueueName>> queues) {
    if (!queues && queues.error().code == Errc::kStopping) return;
    check_next(queues ? *std::move(queues) : std::vector<QueueName>{}, {});
  });
}

void UnservedWatch::check_next(std::vector<QueueName> left, Found found) {
  if (stopped_) return;
  if (left.empty()) return publish(std::move(found));
  const QueueName queue = left.back();
  left.pop_back();
  if (parts_.config.queues.contains(queue.value))
    return check_functions(queue, std::move(left), std::move(found));
  check_unconfigured(queue, std::move(left), std::move(found));
}

void UnservedWatch::check_functions(const QueueName& queue, std::vector<QueueName> left, Found found) {
  const QueueConfig& config = parts_.config.queues.at(queue.value);
  if (config.take_unknown) return check_next(std::move(left), std::move(found));
  parts_.store.waiting_functions(queue, config.function_field, kMostFunctions)
      .then([this, queue, left = std::move(left),
             found = std::move(found)](Result<std::vector<WaitingFunction>> waiting) mutable {
        if (!waiting && waiting.error().code == Errc::kStopping) return;
        for (const WaitingFunction& one : waiting ? *waiting : std::vector<WaitingFunction>{}) {
          if (!parts_.config.functions.contains(one.function.value))
            found.push_back({queue, one.function, one.jobs, one.exact});
        }
        check_next(std::move(left), std::move(found));
      });
}

void UnservedWatch::check_unconfigured(const QueueName& queue, std::vector<QueueName> left, Found found) {
  parts_.store.counts(queue).then(
      [this, queue, left = std::move(left), found = std::move(found)](Result<Counts> counts) mutable {
        if (!counts && counts.error().code == Errc::kStopping) return;
        const std::uint64_t jobs = counts ? counts->ready() + (*counts)[State::kDelayed] : 0;
        if (jobs > 0) found.push_back({queue, FunctionName(), jobs, true});
        check_next(std::move(left), std::move(found));
      });
}

void UnservedWatch::publish(Found found) {
  std::vector<std::pair<Labels, double>> rows;
  for (const UnservedJobs& jobs : found) {
    rows.emplace_back(Labels{{"queue", jobs.queue.value}, {"function", jobs.function.value}},
                      static_cast<double>(jobs.jobs));
    report(jobs);
  }
  parts_.metrics.gauge(
      "gaur_unserved_jobs",
      "Jobs that wait for a function, or in a queue (function \"\"), that this host does not "
      "serve; counted up to about 1000 for each function.",
      std::move(rows));
  {
    std::lock_guard lock(mutex_);
    found_ = std::move(found);
  }
  parts_.loop.post_at(parts_.clock.now() + kEvery, [this] { check(); });
}

void UnservedWatch::report(const UnservedJobs& jobs) {
  if (reported_.size() >= kMostReported || !reported_.emplace(jobs.queue, jobs.function).second) return;
  const std::string count = fmt::format("{}{}", jobs.exact ? "" : "at least ", jobs.jobs);
  if (jobs.function.empty()) {
    parts_.log.warn(
        "jobs wait in a queue that this host does not serve",
        {{"queue", jobs.queue.value}, {"jobs", count}, {"do", "configure [queues.NAME] or remove its jobs"}});
    return;
  }
  const std::string alternative =
      parts_.owns_store ? "or cancel its jobs" : "leave it to other workers, or set queues.NAME.unknown";
  parts_.log.warn("jobs wait for a function that this host does not serve",
                  {{"queue", jobs.queue.value},
                   {"function", jobs.function.value},
                   {"jobs", count},
                   {"do", fmt::format("configure [functions.{}], {}", jobs.function.value, alternative)}});
}

}  // namespace gaur::app
