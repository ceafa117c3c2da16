#pragma once
// The pools of runners: the RunHandler that runs jobs in child processes. They decide which runner runs a
// job, when runners are started, replaced and killed, and how a run ended
// (docs/reference/runner-protocol.md). Thread-safety: every method on Env.loop's thread unless documented
// otherwise. SystemProcessHost owns the processes on its own thread and posts events to the loop.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "base/log.hpp"
#include "core/run.hpp"
#include "gaur/future.hpp"
#include "gaur/host.hpp"
#include "results/result_store.hpp"
#include "runner/cgroups.hpp"
#include "runner/pool_options.hpp"

namespace gaur {

class ProcessHost;

/// Makes what a job records of its saved file; adds the URL that clients fetch it from.
using DescribeFile =
    std::function<ResultFileInfo(const FunctionName& function, const JobRef& job, const ResultFile& file)>;
inline ResultFileInfo describe_without_url(const FunctionName&, const JobRef&, const ResultFile& file) {
  return results::info_of(file, "");
}

struct PoolsOptions {
  std::map<std::string, PoolOptions> pools;
  /// Function -> pool.
  std::map<FunctionName, std::string> functions;
  /// Functions with a planning step: function -> the pool that plans (planned_runs.hpp). Its pool in
  /// `functions` runs the plan.
  std::map<FunctionName, std::string> planners;
  /// Contains the runners' scratch folders; emptied by open().
  std::filesystem::path run_folder;
  /// Disk space of all scratch folders; above it the run with the most fails. 0: no limit.
  std::uint64_t max_scratch = 0;
  /// The program of keepers; its arguments are keeper::to_arguments().
  std::filesystem::path keeper_program = "/proc/self/exe";
  CgroupPaths cgroups;
  Limits limits;
  /// Functions whose result limit differs from that of `limits`.
  std::map<FunctionName, std::size_t> result_bytes;
  /// Answers on any thread. Empty: result files are rejected.
  results::SaveFile save_file;
  DescribeFile describe_file = describe_without_url;
  Logger log;

  // Called on the loop.
  /// A function's pool has broken or recovered: admission must close or open the function.
  std::function<void(const FunctionName&, bool closed, const std::string& why)> on_closed;
  /// Resident memory of all runners without a job. Called when it changes by more than 1 MB.
  std::function<void(std::uint64_t bytes)> on_idle_memory;
};

struct RunnerStatus {
  /// 0: not started yet.
  std::int64_t pid = 0;
  /// "starting", "idle", "running", "ending" (stopped or killed).
  std::string state;
  /// Last sample of the resident anonymous memory of its process tree.
  std::uint64_t rss_bytes = 0;
  /// Runs that ended on it.
  std::uint32_t jobs = 0;
  Duration age{0};
  std::optional<LockToken> run;
};

class Pools final : public RunHandler {
 public:
  /// `options.pools` are valid (problems_of). Starts nothing yet.
  Pools(Env env, PoolsOptions options);
  /// For tests: with another process host.
  Pools(Env env, PoolsOptions options, std::unique_ptr<ProcessHost> processes);
  /// Kills what still runs and reports nothing to observers. From any thread, after the loop has run the task
  /// that close() posted, or after the loop ended.
  ~Pools() override;

  /// Empties the run folder and starts each pool's warm runners.
  void open();
  /// Ends every runner and stops their runs with StopReason::kHostStops. Ready when all have exited. From any
  /// thread.
  Future<Unit> close();

  void start(RunRequest request, RunObserver& observer) override;
  void stop(const LockToken& run, StopReason reason, std::string who, std::string why) override;

  std::vector<PoolStatus> status() const;
  std::vector<RunnerStatus> runners(const std::string& pool) const;
  /// The pid of the runner that runs `run`, or 0.
  std::int64_t pid_of(const LockToken& run) const;
  /// Why this pool cannot start runners; nothing for a working or unknown pool.
  std::optional<std::string> broken(const std::string& pool) const;
  /// The next attempt of a broken pool to start a runner; nothing for a working pool.
  std::optional<Instant> next_start(const std::string& pool) const;
  std::uint64_t idle_memory() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with the closures that the process host posts
};

}  // namespace gaur
