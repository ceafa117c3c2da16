#pragma once
// Outcomes of runs: what a worker decides, and what a store returns. The worker decides outcome, delay and
// retention; the store checks token and state and applies the outcome in the same atomic step.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/needs.hpp"
#include "gaur/job.hpp"

namespace gaur {

namespace outcome {
struct Completed {
  /// JSON text.
  std::string result = "null";
  /// `result` is then an object, or "null" beside a link (ResultFileInfo::is_link).
  std::optional<ResultFileInfo> file{};
};
/// Final: no attempt is left, or none can succeed. Increments attempts_made.
struct Failed {
  Failure failure{};
  /// All attempts are used: the store adds a retries-exhausted event.
  bool exhausted = false;
};
/// Runs the job again. With a delay of 0 it returns to waiting at once, behind the other jobs (LIFO jobs: in
/// front).
struct RetryAfter {
  Duration delay{0};
  Failure failure{};
  /// Increments attempts_made. False for a handler that snoozes its job.
  bool counted = true;
};
struct WaitForChildren {};
/// The run ended for a reason outside the job (stop, recycled runner, deployment, lost host): the job returns
/// to the front of the queue and no counter changes.
struct Requeue {
  std::string why{};
};
/// The runner died: increments `stalled` and returns the job to the front. Above `max_stalled` the job fails
/// with `failure`.
struct Stalled {
  std::uint32_t max_stalled = 1;
  Failure failure{};
};
}  // namespace outcome

/// The failure of a job that stalled more often than allowed. Keeps message, stack and details of its last
/// error.
Failure stalled_too_often(const std::optional<Failure>& last);

using Outcome = std::variant<outcome::Completed, outcome::Failed, outcome::RetryAfter,
                             outcome::WaitForChildren, outcome::Requeue, outcome::Stalled>;

/// One run that ended. A finish with a token other than the job's current one is rejected and changes
/// nothing.
struct Finish {
  JobId id{};
  LockToken token{};
  Outcome outcome{};
  /// Retention of the set that the job enters; the worker has already applied the job's own option.
  Retention keep{};
  std::optional<Usage> usage{};
};

/// The job after its finish.
struct FinishResult {
  State state = State::kCompleted;
  /// false: retention removed it.
  bool kept = true;
  std::uint32_t attempts_made = 0;
  std::uint32_t stalled = 0;
  /// Of a delayed job.
  std::optional<Time> due{};
  bool operator==(const FinishResult&) const = default;
};

/// A job that this worker took. Handlers may use `job.attempts_started` as a fencing number.
struct Taken {
  Job job{};
  LockToken token{};
  FunctionName function{};
  bool operator==(const Taken&) const = default;
};

}  // namespace gaur
