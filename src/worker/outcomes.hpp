#pragma once
// What the end of a run means for its job: the one place where outcomes are decided. Pure but for the
// random share of a backoff. The table is in docs/runner-protocol.md, the tests hold it row by row.
// Thread-safety: pure functions.
#include <optional>
#include <string>

#include "worker/options.hpp"

namespace gaur::worker {

struct Decision {
  Outcome outcome;
  Retention keep{};    ///< for the set that the job enters if it ends now
  std::string word{};  ///< completed, failed, cancelled, retried, later, stalled, given_back: for reports
  std::string code{};  ///< of the failure, or ""
  std::string message{};
};

const FunctionPolicy& policy_of(const FunctionName& function, const WorkerOptions& options);

/// @param job  as it was taken: attempts_made counts the attempts before this run.
Decision decide(RunEnd end, const Job& job, const FunctionPolicy& policy, const WorkerOptions& options,
                Random& random);

/// The run's deadline: the function's, lowered by the job's own.
std::optional<Duration> run_timeout(const Job& job, const FunctionPolicy& policy);

/// How long a job waited for its first start: since it was added, its delay not counted. A later start
/// (another attempt, given back, stalled) is not measured: zero.
Duration waited(const Job& job, Time now);

/// A failure that no attempt would mend, if the job's data is not JSON.
std::optional<RunEnd> without_data(const Job& job);

/// A failure if the job waited longer than its queue_timeout allows, at its first start only.
std::optional<RunEnd> waited_too_long(const Job& job, const FunctionPolicy& policy, Time now);

}  // namespace gaur::worker
