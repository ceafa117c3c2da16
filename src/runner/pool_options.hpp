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
  std::vector<std::string> command;        ///< program (looked up in PATH) and arguments; no shell in between
  std::string kind = "command";            ///< shown in the host's status
  std::map<std::string, std::string> env;  ///< added to what is passed on
  /// Variables of the server's environment that runners get to see; a last '*' stands for any ending.
  std::vector<std::string> pass_env = {"PATH", "HOME", "USER", "LOGNAME",        "SHELL",
                                       "LANG", "LC_*", "TZ",   "LD_LIBRARY_PATH"};
  std::filesystem::path working_folder;  ///< "": where the server was started
  std::uint32_t threads = 1;             ///< GAUR_THREADS; each run is told its own grant
  std::uint64_t memory_bytes = 0;   ///< GAUR_MEMORY and bound of runs whose grant names none; 0: not limited
  std::uint32_t open_files = 1024;  ///< RLIMIT_NOFILE

  std::uint32_t min_runners = 1;  ///< kept warm
  std::uint32_t max_runners = 0;  ///< 0: as many as runs are granted at once
  Duration idle_after{60'000};    ///< a runner above min_runners that is idle for so long is stopped

  // A runner past one of these marks is replaced: its successor is started first, and it runs jobs until that
  // one is ready. At most a quarter of a pool (at least one) is replaced at a time. 0: no such mark.
  std::uint32_t max_jobs = 0;
  std::uint64_t max_rss_bytes = 0;  ///< resident memory (RssAnon of its tree) after a job
  Duration max_age{0};

  Duration start_timeout{10'000};  ///< from the start to `ready`
  Duration stop_grace{2'000};      ///< from `stop` to SIGKILL
  Duration cancel_grace{2'000};    ///< from `cancel` to SIGTERM
  Duration timeout_grace{250};     ///< likewise, when the reason is the deadline
  Duration kill_delay{150};        ///< from SIGTERM to SIGKILL

  Duration restart_min{100}, restart_max{30'000};  ///< pauses after failures to start: doubled each time
  std::uint32_t breaker_after = 5;                 ///< failures to start in a row that close the pool
};

/// Every problem, each "field: rule, was value".
std::vector<std::string> problems_of(const PoolOptions& options);

}  // namespace gaur
