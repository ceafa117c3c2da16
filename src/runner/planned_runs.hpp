#pragma once
// Runs of two steps: a runner of one pool plans (its result is SQL and parameters), a runner of another
// carries the plan out. To whoever started it, it is one run: one token, one deadline, one end, figures
// summed. Thread-safety: confined to the loop.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/run.hpp"

namespace gaur {

/// What a planning step answered.
struct Plan {
  std::string data;    ///< for the second step, as its job's data: {"sql":...,"params":...,"setup":...}
  std::string answer;  ///< or the result itself, as JSON text; then there is no second step
};
/// Reads a planner's result: {"sql": text, "params": object or list, "setup": list of texts} or {"answer":
/// any}. Other members are dropped. Errors: kInvalidArgument, with what is missing.
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
  /// Begins the first step. Stopping is the affair of the pool that has the step: what it reports ends the
  /// whole.
  void start(const Pools& pools, RunRequest request, RunObserver& observer);
  std::size_t under_way() const { return runs_.size(); }

 private:
  class Planned;
  void ended(const LockToken& run, RunEnd end, Usage usage);

  StartOn start_on_;
  std::map<LockToken, std::unique_ptr<Planned>> runs_;
};

}  // namespace gaur
