#pragma once
// Runs of two steps: a runner of one pool plans (its result is SQL and parameters), a runner of another pool
// runs the plan. The worker sees one run with one token, one deadline, one end and the sum of both usages.
// Thread-safety: confined to the loop.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/run.hpp"

namespace gaur {

/// The result of a planning step.
struct Plan {
  /// For the second step, as its job's data: {"sql":...,"params":...,"setup":...}.
  std::string data;
  /// Or the run's result as JSON text, without a second step.
  std::string answer;
};
/// Reads a planner's result: {"sql": text, "params": object or list, "setup": list of texts} or {"answer":
/// any}. Other members are dropped. Errors: kInvalidArgument.
Result<Plan> read_plan(std::string_view result);

class PlannedRuns {
 public:
  /// Starts a run on the pool of this name.
  using StartOn = std::function<void(const std::string& pool, RunRequest, RunObserver&)>;
  explicit PlannedRuns(StartOn start_on);
  ~PlannedRuns();

  struct Pools {
    std::string plan, run;
  };
  /// Starts the first step. To stop the run, stop it in the pool that runs the current step.
  void start(const Pools& pools, RunRequest request, RunObserver& observer);
  std::size_t running() const { return runs_.size(); }

 private:
  class Planned;
  void ended(const LockToken& run, RunEnd end, Usage usage);

  StartOn start_on_;
  std::map<LockToken, std::unique_ptr<Planned>> runs_;
};

}  // namespace gaur
