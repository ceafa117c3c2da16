#pragma once
// How the runners of one pool are started, kept and replaced.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gaur/names.hpp"

namespace gaur {

struct PoolOptions {
  std::vector<std::string> command;        ///< program (searched in PATH) and arguments; no shell
  std::string kind = "command";            ///< shown in the host's status
  std::map<std::string, std::string> env;  ///< added to the inherited variables
  /// Variables that runners inherit from the server; a last '*' matches any ending.
  std::vector<std::string> pass_env = {"PATH", "HOME", "USER", "LOGNAME",        "SHELL",
                                       "LANG", "LC_*", "TZ",   "LD_LIBRARY_PATH"};
  std::filesystem::path working_folder;  ///< "": the server's
  std::uint32_t threads = 1;             ///< GAUR_THREADS; each run frame has its own grant
  /// GAUR_MEMORY, and the limit of runs whose grant has none; 0: not limited.
  std::uint64_t memory_bytes = 0;
  std::uint32_t open_files = 1024;  ///< RLIMIT_NOFILE

  std::uint32_t min_runners = 1;  ///< kept running without jobs
  std::uint32_t max_runners = 0;  ///< 0: one for each concurrent run
  Duration idle_after{60'000};    ///< after this idle time runners above min_runners are stopped

  // A runner over one of these limits is replaced: its successor starts first, and the runner runs jobs until
  // the successor is ready. At most a quarter of a pool (at least one) is replaced at a time. 0: no limit.
  std::uint32_t max_jobs = 0;
  std::uint64_t max_rss_bytes = 0;  ///< resident memory (RssAnon of its tree) after a job
  Duration max_age{0};

  Duration start_timeout{10'000};  ///< from the start to `ready`
  Duration stop_grace{2'000};      ///< from `stop` to SIGKILL
  Duration cancel_grace{2'000};    ///< from `cancel` to SIGTERM
  Duration timeout_grace{250};     ///< the same after a timeout
  Duration kill_delay{150};        ///< from SIGTERM to SIGKILL

  Duration restart_min{100}, restart_max{30'000};  ///< pause after a failure to start; doubles each time
  std::uint32_t breaker_after = 5;                 ///< consecutive failures to start that break the pool
};

/// Every problem, each "field: rule, was value".
std::vector<std::string> problems_of(const PoolOptions& options);

}  // namespace gaur
