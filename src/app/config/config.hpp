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
#include "gaur/result.hpp"
#include "http/access.hpp"
#include "http/tls_files.hpp"
#include "redis/options.hpp"
#include "runner/output_budget.hpp"

namespace gaur::app {

/// The configuration of a Redis store.
struct RedisConfig {
  /// May contain a password: do not print it, see redis::masked().
  std::string url;
  /// Contains the password, whichever source it came from.
  redis::Endpoint endpoint;
  std::string prefix = "bull";
  /// The dialect is "auto".
  bool detect = true;
  bool allow_eviction = false;
  Duration connect_timeout{10'000};
  /// While Redis is unreachable, requests of producers fail at once.
  bool fail_fast = true;
};

/// How recovery treats unlocked jobs of other workers.
struct RecoveryConfig {
  enum class Stalled : std::uint8_t { kOn, kReport, kOff };
  Stalled stalled = Stalled::kOn;
  Duration grace{0};
  /// 0: there are no orphans.
  Duration orphan_age{0};
};

struct ResultsConfig {
  Duration ttl{0};
  /// Absolute.
  std::filesystem::path folder;
  /// Sum of all files; 0: no limit.
  std::uint64_t max_bytes = 0;
  /// `folder` is configured, so other programs read it.
  bool shared = false;
  /// Without a slash at the end; "" means this server's address.
  std::string public_url;
  std::filesystem::path link_secret_file;
};

struct QueueConfig {
  bool backfill = true;
  std::uint64_t max_waiting = 10'000;
  Duration max_head_wait{30'000};
  double weight = 1;
  /// Take and fail jobs of functions that are not configured.
  bool take_unknown = false;
  /// A dotted path into the job's data ("func"), or "" for the job's name.
  std::string function_field;
  /// std::nullopt: keep all.
  std::optional<std::uint64_t> keep_completed, keep_failed;
  /// std::nullopt: no limit.
  std::optional<Duration> keep_completed_for, keep_failed_for;
};

struct PoolConfig {
  bool duckdb = false;
  /// Kind duckdb: "prefer", "require" or "off".
  std::string sandbox;
  /// Kind duckdb: it loads extensions.
  bool extensions = false;
  /// "auto", "off", "basic" or "strict".
  std::string isolation;
  /// "auto", "on" or "off".
  std::string network;
  /// Kind command, strict isolation: paths that its runners may read, and read and write. Absolute. Kind
  /// duckdb: `read` is what SQL may read.
  std::vector<std::filesystem::path> read, write;
  /// Kind command only.
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  /// Working folder of the runners, absolute.
  std::filesystem::path folder;
  /// Bytes.
  std::uint64_t max_result = 0;
  /// 0: no limit.
  std::uint64_t max_jobs = 0;
  /// 0: no limit.
  std::uint32_t max_processes = 0;
  /// 0: no limit.
  std::uint64_t max_rss_bytes = 0;
  /// 0: no limit.
  Duration max_age{0};
  std::uint32_t min_runners = 1;
  std::optional<std::uint32_t> max_runners;
  Duration start_timeout{10'000}, stop_grace{2'000};
  OutputLimits output;
  /// Bytes; 0: no limit.
  std::uint64_t max_scratch = 0, max_file = 0;
};

struct FunctionConfig {
  std::string queue, pool, description;
  /// "" if no pool plans the function.
  std::string plan_pool;
  /// std::nullopt: a slot's share.
  std::optional<double> cores;
  /// std::nullopt: a slot's share.
  std::optional<std::uint64_t> memory_bytes;
  /// 0: as many as fit.
  std::uint32_t max_running = 0;
  Duration timeout{0};
  /// std::nullopt: no limit.
  std::optional<Duration> queue_timeout;
  std::uint32_t attempts = 1;
  bool rerun_on_crash = true;
  bool ad_hoc = false;
  /// Bytes.
  std::uint64_t max_result = 0;
  /// on_large = "url": a large result is returned as a link.
  bool link_files = false;
  /// The content of sql_file, or why it cannot be read; "" without one.
  Result<std::string> file_sql;
  std::string params_path;
  /// JSON object.
  std::string params = "{}";
};

/// A file or folder of the host that runners with confined files never get.
struct PrivatePath {
  /// Absolute, symbolic links resolved.
  std::filesystem::path path;
  /// "the data folder", or the key that names it.
  std::string what;
  /// `pools.*.read` may name it: results.folder, which other programs read.
  bool readable = false;
};

struct Config {
  std::string listen;
  /// A token with the right admin, for the commands; "": there is none.
  std::string token;
  /// The file that contains it; "": none.
  std::filesystem::path token_file;
  std::vector<http::TokenGrant> tokens;
  http::TlsFiles tls;
  /// All files that contain tokens.
  std::vector<std::filesystem::path> token_files;
  std::vector<PrivatePath> private_paths;
  std::filesystem::path port_file;
  /// Further names of this server if there is no token.
  std::vector<std::string> hosts;
  /// Addresses whose X-Forwarded-For is trusted.
  std::vector<std::string> trusted_proxies;
  std::uint32_t max_connections = 0;
  std::uint32_t max_connections_per_address = 0;
  /// Queues that are not configured, to which this host may add jobs; for Redis stores.
  std::uint32_t max_other_queues = 0;
  /// "/gaur" or "", without a slash at the end.
  std::string base_path;
  Duration stop_timeout{30'000};
  LogLevel log_level = LogLevel::kInfo;
  /// Absolute.
  std::filesystem::path data_folder;
  /// std::nullopt: an embedded store in data_folder.
  std::optional<RedisConfig> redis;
  /// Takes no jobs: slots or BULL_COUNT is 0.
  bool producer_only = false;
  /// The reason, such as "BULL_COUNT is 0 (.env:4)".
  std::string producer_only_why;
  bool listen_is_default = false;
  bool relaxed = false;
  std::uint64_t reserve_bytes = 0;
  /// Sums of all runs; 0: no limit. Spill files are in the scratch folders.
  std::uint64_t spill_bytes = 0, scratch_bytes = 0;
  Machine machine;
  SlotPlan slots;
  /// The name of this machine.
  std::string host;
  std::string worker_name;
  Duration lock{30'000};
  std::uint32_t max_stalled = 1;
  RecoveryConfig recovery;
  ResultsConfig results;
  /// The user that runners run as: a name, "auto", or "none" for the server's.
  std::string runner_user;
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
