#include "worker/outcomes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "core/human_text.hpp"
#include "core/result_size.hpp"

namespace gaur::worker {

namespace {

void truncate(Failure& failure, std::size_t bytes) {
  cut_utf8(failure.message, bytes);
  cut_utf8(failure.stack, bytes - std::min(bytes, failure.message.size()));
  if (failure.details.size() > bytes) failure.details.clear();
}

std::optional<Duration> smaller(const std::optional<Duration>& a, const std::optional<Duration>& b) {
  if (a && b) return std::min(*a, *b);
  return a ? a : b;
}

class Decider {
 public:
  Decider(const Job& job, const FunctionPolicy& policy, const WorkerOptions& options, Random& random)
      : job_(job), policy_(policy), options_(options), random_(random) {}

  Decision operator()(run::Completed& end) const {
    const std::size_t limit = policy_.result_bytes.value_or(options_.job_limits.result_bytes);
    if (end.result.size() > limit) return attempt_failed(result_too_large(end.result, limit));
    return {outcome::Completed{std::move(end.result), std::move(end.file)},
            job_.options.on_complete.value_or(policy_.keep_completed), "completed", "", ""};
  }
  Decision operator()(run::Failed& end) const {
    if (!end.final) return attempt_failed(std::move(end.failure));
    if (end.failure.code == "error") end.failure.code = "unrecoverable";
    return failed(std::move(end.failure), false);
  }
  Decision operator()(run::Snooze& end) const {
    std::string why = end.why;
    Failure reason{.code = "snoozed", .message = std::move(end.why)};
    return {outcome::RetryAfter{std::max(end.delay, Duration{0}), std::move(reason), false},
            {},
            "snoozed",
            "",
            std::move(why)};
  }
  Decision operator()(run::TimedOut& end) const {
    if (options_.semantics.bull_timeout_message) {
      return attempt_failed(
          {.code = "timeout",
           .message = fmt::format("Promise timed out after {} milliseconds", end.after.count())});
    }
    const bool by_the_job = job_.options.timeout && *job_.options.timeout == end.after;
    return attempt_failed(
        {.code = "timeout",
         .message =
             fmt::format("the run was stopped after its timeout of {}{}", human_duration(end.after),
                         by_the_job ? ", set by the job" : advice("raise {}.timeout if it may run longer"))});
  }
  Decision operator()(run::OutOfMemory& end) const {
    Failure failure;
    failure.code = "memory";
    failure.message = fmt::format("the run was stopped at its memory limit of {}: it reached {}{}",
                                  human_bytes(end.bound_bytes), human_bytes(end.peak_bytes),
                                  advice("raise {}.needs.memory, or reduce its use"));
    failure.stack = std::move(end.output);
    failure.details = json::object([&](json::ObjectWriter& out) {
      out.number("bound_bytes", end.bound_bytes).number("peak_bytes", end.peak_bytes);
    });
    return attempt_failed(std::move(failure));
  }
  Decision operator()(run::Crashed& end) const {
    Failure failure{.code = "crashed", .message = std::move(end.message)};
    if (failure.message.empty()) {
      failure.message = end.signal != 0 ? fmt::format("the runner died of signal {}", end.signal)
                                        : fmt::format("the runner exited with code {}", end.exit_code);
    }
    failure.stack = std::move(end.output);
    failure.details = json::object([&](json::ObjectWriter& out) {
      out.number("signal", end.signal)
          .number("exit_code", end.exit_code)
          .number("bound_bytes", end.bound_bytes)
          .number("peak_bytes", end.peak_bytes);
    });
    truncate(failure, options_.job_limits.failure_bytes);
    if (!policy_.rerun_on_crash) return failed(std::move(failure), false);
    std::string message = failure.message;
    return {outcome::Stalled{options_.max_stalled, std::move(failure)}, keep_failed(), "stalled", "crashed",
            std::move(message)};
  }
  Decision operator()(run::Interrupted& end) const {
    std::string why = end.why;
    return {outcome::Requeue{std::move(end.why)}, {}, "requeued", "", std::move(why)};
  }
  Decision operator()(run::Cancelled& end) const {
    std::string message = "cancelled";
    if (!end.who.empty()) message += " by " + end.who;
    if (!end.why.empty()) message += ": " + end.why;
    Decision decision = failed({.code = "cancelled", .message = std::move(message)}, false);
    decision.outcome_name = "cancelled";
    return decision;
  }

 private:
  /// "; raise functions.rank.timeout ..."; "" if the policy does not name its table.
  std::string advice(std::string_view text) const {
    if (policy_.configured_in.empty()) return "";
    return "; " + fmt::format(fmt::runtime(text), policy_.configured_in);
  }
  Retention keep_failed() const { return job_.options.on_fail.value_or(policy_.keep_failed); }

  Decision failed(Failure failure, bool exhausted) const {
    truncate(failure, options_.job_limits.failure_bytes);
    std::string code = failure.code;
    std::string message = failure.message;
    return {outcome::Failed{std::move(failure), exhausted}, keep_failed(), "failed", std::move(code),
            std::move(message)};
  }

  Decision attempt_failed(Failure failure) const {
    const std::uint32_t most = job_.options.attempts > 0
                                   ? job_.options.attempts
                                   : policy_.attempts.value_or(options_.semantics.default_attempts);
    const std::uint32_t made = job_.attempts_made + 1;
    if (made >= std::max(most, 1U)) return failed(std::move(failure), true);
    truncate(failure, options_.job_limits.failure_bytes);
    const bool uses_policy = job_.options.attempts == 0 && job_.options.backoff == Backoff{};
    const Backoff backoff = uses_policy ? policy_.backoff.value_or(Backoff{}) : job_.options.backoff;
    const Duration delay = backoff_delay(backoff, made, options_.semantics, random_);
    std::string code = failure.code;
    std::string message = failure.message;
    return {outcome::RetryAfter{delay, std::move(failure), true},
            {},
            "retried",
            std::move(code),
            std::move(message)};
  }

  const Job& job_;
  const FunctionPolicy& policy_;
  const WorkerOptions& options_;
  Random& random_;
};

}  // namespace

const FunctionPolicy& policy_of(const FunctionName& function, const WorkerOptions& options) {
  const auto found = options.functions.find(function);
  return found == options.functions.end() ? options.default_policy : found->second;
}

Decision decide(RunEnd end, const Job& job, const FunctionPolicy& policy, const WorkerOptions& options,
                Random& random) {
  return std::visit(Decider(job, policy, options, random), end);
}

std::optional<Duration> run_timeout(const Job& job, const FunctionPolicy& policy) {
  return smaller(policy.timeout, job.options.timeout);
}

Duration waited(const Job& job, Time now) {
  if (job.attempts_started > 1) return Duration{0};
  return std::max(now - (job.timestamp + job.options.delay), Duration{0});
}

std::optional<RunEnd> without_data(const Job& job) {
  if (job.data_invalid.empty()) return std::nullopt;
  return run::Failed{
      {.code = "invalid_data", .message = "the job's data cannot be read: " + job.data_invalid}, true};
}

std::optional<RunEnd> waited_too_long(const Job& job, const FunctionPolicy& policy, Time now) {
  const auto bound = smaller(policy.queue_timeout, job.options.queue_timeout);
  const Duration wait = waited(job, now);
  if (!bound || wait <= *bound) return std::nullopt;
  const bool own = bound == job.options.queue_timeout;
  const std::string whose = own                            ? "its queue_timeout"
                            : policy.configured_in.empty() ? "its function's queue_timeout"
                                                           : policy.configured_in + ".queue_timeout";
  return run::Failed{{.code = "queue_timeout",
                      .message = fmt::format("not run: the job waited {}, longer than {} ({})",
                                             human_duration(wait), whose, human_duration(*bound))},
                     true};
}

}  // namespace gaur::worker
