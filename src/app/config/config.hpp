#pragma once
// The configuration as typed values, read from Settings, with the checks that concern several keys.
// Thread-safety: values.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "admission/slots.hpp"
#include "app/config/machine.hpp"
#include "app/config/settings.hpp"
#include "base/log.hpp"
#include "gaur/names.hpp"
#include "redis/options.hpp"

namespace gaur::app {

/// A Redis store, as configured.
struct RedisConfig {
  std::string url;           ///< may contain a password: do not print it, see redis::masked()
  redis::Endpoint endpoint;  ///< with the password of any source
  std::string prefix = "bull";
  bool detect = true;  ///< dialect "auto"
  bool allow_eviction = false;
  Duration connect_timeout{10'000};
  bool fail_fast = true;  ///< while Redis is unreachable, requests of producers fail at once
};

/// What recovery does with jobs of other workers.
struct RecoveryConfig {
  enum class Stalled : std::uint8_t { kOn, kReport, kOff };
  Stalled stalled = Stalled::kOn;
  Duration grace{0};
  Duration orphan_age{0};  ///< 0: there are no orphans
};

struct ResultsConfig {
  Duration ttl{0};
  std::filesystem::path folder;  ///< absolute
  std::uint64_t max_bytes = 0;   ///< of all files; 0: no limit
  bool shared = false;           ///< `folder` is configured: other programs read it
  std::string public_url;        ///< without a slash at the end; "": this server's address
  std::filesystem::path link_secret_file;
};

struct QueueConfig {
  bool backfill = true;
  std::uint64_t max_waiting = 10'000;
  Duration max_head_wait{30'000};
  double weight = 1;
  bool take_unknown = false;   ///< take and fail jobs of functions that are not configured
  std::string function_field;  ///< "": the job's name; or a dotted path into its data ("func")
  std::optional<std::uint64_t> keep_completed, keep_failed;     ///< std::nullopt: all
  std::optional<Duration> keep_completed_for, keep_failed_for;  ///< std::nullopt: no limit
};

struct PoolConfig {
  bool duckdb = false;
  std::string sandbox;               ///< kind duckdb: "prefer", "require" or "off"
  std::vector<std::string> command;  ///< kind command only
  std::map<std::string, std::string> env;
  std::filesystem::path folder;     ///< working folder of its runners, absolute
  std::uint64_t max_result = 0;     ///< bytes
  std::uint64_t max_jobs = 0;       ///< 0: no bound
  std::uint64_t max_rss_bytes = 0;  ///< 0: no bound
  Duration max_age{0};              ///< 0: no bound
  std::uint32_t min_runners = 1;
  std::optional<std::uint32_t> max_runners;
  Duration start_timeout{10'000}, stop_grace{2'000};
};

struct FunctionConfig {
  std::string queue, pool, description;
  std::string plan_pool;                      ///< "": the function is not planned
  std::optional<double> cores;                ///< std::nullopt: a slot's share
  std::optional<std::uint64_t> memory_bytes;  ///< std::nullopt: a slot's share
  std::uint32_t max_running = 0;              ///< 0: as many as fit
  Duration timeout{0};
  std::optional<Duration> queue_timeout;  ///< std::nullopt: no limit
  std::uint32_t attempts = 1;
  bool rerun_on_crash = true;
  std::uint64_t max_result = 0;  ///< bytes
  bool link_files = false;       ///< on_large = "url": a result file becomes a link
  std::string params_path;
  std::string params = "{}";  ///< JSON object
};

struct Config {
  std::string listen, token;
  std::filesystem::path port_file;
  std::vector<std::string> hosts;            ///< further names of this server if there is no token
  std::vector<std::string> trusted_proxies;  ///< addresses whose X-Forwarded-For is trusted
  std::string base_path;                     ///< "/gaur" or "", without a slash at the end
  Duration stop_timeout{30'000};
  LogLevel log_level = LogLevel::kInfo;
  std::filesystem::path data_folder;  ///< absolute
  std::optional<RedisConfig> redis;   ///< std::nullopt: an embedded store in data_folder
  bool producer_only = false;         ///< takes no jobs: slots or BULL_COUNT is 0
  std::string producer_only_why;      ///< "BULL_COUNT is 0 (.env:4)"
  bool listen_is_default = false;
  bool relaxed = false;
  std::uint64_t reserve_bytes = 0;
  std::uint64_t spill_bytes = 0;  ///< of all runs together; 0: no limit
  Machine machine;
  SlotPlan slots;
  std::string host;  ///< this machine's name
  std::string worker_name;
  Duration lock{30'000};
  std::uint32_t max_stalled = 1;
  RecoveryConfig recovery;
  ResultsConfig results;
  std::map<std::string, QueueConfig> queues;
  std::map<std::string, PoolConfig> pools;
  std::map<std::string, FunctionConfig> functions;
};

/// Reads every key. Adds to `settings` the problems that concern several keys, such as unknown names, missing
/// SQL or an unreadable token. The result is valid only if settings.problems() stays empty. `folder`: the
/// working folder; `machine`: as detected; `host`: the machine's name.
Config make_config(Settings& settings, const std::filesystem::path& folder, const Machine& machine,
                   const std::string& host);

}  // namespace gaur::app
