#pragma once
// Decides the outcome of a run for its job. docs/reference/runner-protocol.md has the table, and the tests
// check each row. Thread-safety: pure functions, except for the random share of a backoff.
#include <optional>
#include <string>

#include "worker/options.hpp"

namespace gaur::worker {

struct Decision {
  Outcome outcome;
  /// Of the set that the job enters if it ends now.
  Retention keep{};
  /// completed, failed, cancelled, retried, snoozed, stalled or requeued.
  std::string outcome_name{};
  /// Of the failure, or "".
  std::string code{};
  std::string message{};
};

const FunctionPolicy& policy_of(const FunctionName& function, const WorkerOptions& options);

/// @param job  as it was taken: attempts_made counts the attempts before this run.
Decision decide(RunEnd end, const Job& job, const FunctionPolicy& policy, const WorkerOptions& options,
                Random& random);

/// The longest run: the function's timeout, lowered by the job's own.
std::optional<Duration> run_timeout(const Job& job, const FunctionPolicy& policy);

/// How long a job waited for its first start, without its delay. Zero for later starts (retried, requeued,
/// stalled).
Duration waited(const Job& job, Time now);

/// A final failure if the job's data is not JSON.
std::optional<RunEnd> without_data(const Job& job);

/// A failure if the job waited longer than its queue_timeout before its first start.
std::optional<RunEnd> waited_too_long(const Job& job, const FunctionPolicy& policy, Time now);

}  // namespace gaur::worker
