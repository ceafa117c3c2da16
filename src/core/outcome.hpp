#pragma once
// What a worker decides about a run, and what a store answers. The worker decides outcome, delay and
// retention; the store checks token and state and does everything else in the same atomic step.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/needs.hpp"
#include "gaur/job.hpp"

namespace gaur {

namespace outcome {
struct Completed {
  std::string result = "null";  ///< JSON text
};
/// Final: no attempt is left, or none would help. attempts_made + 1.
struct Failed {
  Failure failure{};
  bool exhausted = false;  ///< attempts are used up: the store adds a retries-exhausted event
};
/// A failed attempt that is tried again. delay 0: back to waiting at once, behind the others (LIFO jobs: in
/// front).
struct RetryAfter {
  Duration delay{0};
  Failure failure{};
  bool counted = true;  ///< attempts_made + 1 (a handler that asks for "later" is not counted)
};
struct WaitForChildren {};
/// The run ended without the job's fault (stop, recycle, deploy, lost host): back to the front, nothing
/// counted.
struct Requeue {
  std::string why{};
};
/// Lost with its runner: stalled + 1 and back to the front, or, above `max_stalled`, failed with `failure`.
struct Stalled {
  std::uint32_t max_stalled = 1;
  Failure failure{};
};
}  // namespace outcome

using Outcome = std::variant<outcome::Completed, outcome::Failed, outcome::RetryAfter,
                             outcome::WaitForChildren, outcome::Requeue, outcome::Stalled>;

/// One run that ended. A finish with a token that is not the job's current one is refused and changes
/// nothing.
struct Finish {
  JobId id{};
  LockToken token{};
  Outcome outcome{};
  Retention keep{};  ///< for the set that it enters; the job's own option is resolved by the worker
  std::optional<Usage> usage{};
};

/// Where a job stands after a finish.
struct FinishResult {
  State state = State::kCompleted;
  bool kept = true;  ///< false: retention removed it as it finished
  std::uint32_t attempts_made = 0;
  std::uint32_t stalled = 0;
  std::optional<Time> due{};  ///< when delayed
  bool operator==(const FinishResult&) const = default;
};

/// A job handed to this worker. The handler may use `job.attempts_started` as fencing number.
struct Taken {
  Job job{};
  LockToken token{};
  FunctionName function{};
  bool operator==(const Taken&) const = default;
};

}  // namespace gaur
