#pragma once
// How the runners of one pool are started, kept and replaced.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gaur/names.hpp"
#include "runner/isolation.hpp"
#include "runner/output_budget.hpp"

namespace gaur {

struct PoolOptions {
  /// Program (searched in PATH) and arguments; no shell.
  std::vector<std::string> command;
  /// Shown in the host's status.
  std::string kind = "command";
  /// Added to the inherited variables.
  std::map<std::string, std::string> env;
  /// Variables that runners inherit from the server; a last '*' matches any ending.
  std::vector<std::string> pass_env = {"PATH", "HOME", "USER", "LOGNAME",        "SHELL",
                                       "LANG", "LC_*", "TZ",   "LD_LIBRARY_PATH"};
  /// "": the server's.
  std::filesystem::path working_folder;
  /// GAUR_THREADS; each run frame has its own grant.
  std::uint32_t threads = 1;
  /// GAUR_MEMORY, and the limit of runs whose grant has none; 0: not limited.
  std::uint64_t memory_bytes = 0;
  /// RLIMIT_NOFILE.
  std::uint32_t open_files = 1024;
  /// Of one runner's process tree, threads included; 0: no limit.
  std::uint32_t max_processes = 1024;
  Isolation isolation;
  /// Of what a runner writes to stdout and stderr.
  OutputLimits output;
  /// Disk space of one runner's scratch folder, and bytes of one run's result file; 0: no limit.
  std::uint64_t max_scratch = 0, max_file = 0;

  /// Kept running without jobs.
  std::uint32_t min_runners = 1;
  /// 0: one for each concurrent run.
  std::uint32_t max_runners = 0;
  /// After this idle time runners above min_runners are stopped.
  Duration idle_after{60'000};

  // A runner over one of these limits is replaced: its successor starts first, and the runner runs jobs until
  // the successor is ready. At most a quarter of a pool (at least one) is replaced at a time. 0: no limit.
  std::uint32_t max_jobs = 0;
  /// Resident memory (RssAnon of its tree) after a job.
  std::uint64_t max_rss_bytes = 0;
  Duration max_age{0};

  /// From the start to `ready`.
  Duration start_timeout{10'000};
  /// From `stop` to SIGKILL.
  Duration stop_grace{2'000};
  /// From `cancel` to SIGTERM.
  Duration cancel_grace{2'000};
  /// The same after a timeout.
  Duration timeout_grace{250};
  /// From SIGTERM to SIGKILL.
  Duration kill_delay{150};

  /// Pause after a failure to start; doubles each time.
  Duration restart_min{100}, restart_max{30'000};
  /// Consecutive failures to start that break the pool.
  std::uint32_t breaker_after = 5;
};

/// Every problem, each "field: rule, was value".
std::vector<std::string> problems_of(const PoolOptions& options);

}  // namespace gaur
