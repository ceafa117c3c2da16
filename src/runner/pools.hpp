#pragma once
// The pools of runners behind the worker's RunHandler seam: which runner runs what, when one is started,
// replaced or killed, and what a run's end counts as (docs/reference/runner-protocol.md). Thread-safety:
// every method on Env.loop's thread, except where said. The processes live on a thread of their own
// (process_shell.hpp), which posts what happens to the loop.
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
#include "runner/pool_options.hpp"
#include "runner/result_keeper.hpp"

namespace gaur {

class Shell;

struct PoolsOptions {
  std::map<std::string, PoolOptions> pools;
  std::map<FunctionName, std::string> functions;  ///< function -> pool
  /// Functions that are planned first: function -> the pool that plans (planned_runs.hpp). Its pool in
  /// `functions` runs the plan.
  std::map<FunctionName, std::string> planners;
  std::filesystem::path run_folder;  ///< runners' scratch lies below; emptied by open()
  /// How the keeper is started: program and first arguments; what keeper::to_arguments says follows after the
  /// program.
  std::filesystem::path keeper_program = "/proc/self/exe";
  Limits limits;
  std::map<FunctionName, std::size_t>
      result_bytes;        ///< where a function's largest result is not that of `limits`
  AdoptFile adopt_file;    ///< answers on any thread; empty: result files are rejected
  FileResult file_result;  ///< empty: with_file_member
  Logger log;

  // Called on the loop.
  /// A broken pool can run nothing: its functions are to be closed in admission, until they are opened again.
  std::function<void(const FunctionName&, bool closed, const std::string& why)> on_closed;
  /// Resident memory of all runners without a job, whenever it changes by more than 1 MB.
  std::function<void(std::uint64_t bytes)> on_idle_memory;
};

struct RunnerStatus {
  std::int64_t pid = 0;         ///< 0: not started yet
  std::string state;            ///< "starting", "idle", "running", "ending" (told to stop, or being killed)
  std::uint64_t rss_bytes = 0;  ///< resident anonymous memory of its tree, when last looked at
  std::uint32_t jobs = 0;       ///< ended on it
  Duration age{0};
  std::optional<LockToken> run;
};

class Pools final : public RunHandler {
 public:
  /// `options.pools` are valid (problems_of). Starts nothing yet.
  Pools(Env env, PoolsOptions options);
  /// For tests: another way to start and hear processes.
  Pools(Env env, PoolsOptions options, std::unique_ptr<Shell> shell);
  /// Kills what still runs, without a word to observers. From any thread, once the loop has run what close()
  /// posted, or after the loop ended.
  ~Pools() override;

  /// Empties the run folder and starts each pool's warm runners.
  void open();
  /// Ends every runner: those with a run are stopped as by StopReason::kHostStops. Ready when none is left.
  /// From any thread.
  Future<Unit> close();

  void start(RunRequest request, RunObserver& observer) override;
  void stop(const LockToken& run, StopReason reason, std::string who, std::string why) override;

  std::vector<PoolStatus> status() const;
  std::vector<RunnerStatus> runners(const std::string& pool) const;
  /// Of the runner that has this run now, or 0.
  std::int64_t pid_of(const LockToken& run) const;
  /// Why this pool cannot start runners now; nothing while it can, or when there is no such pool.
  std::optional<std::string> broken(const std::string& pool) const;
  /// When a pool that cannot start runners tries again; nothing for one that can.
  std::optional<Instant> next_start(const std::string& pool) const;
  std::uint64_t idle_memory() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with the closures that the shell's thread posts
};

}  // namespace gaur
