#include "app/config/config.hpp"

#include <fmt/format.h>

#include "app/config/config_check.hpp"
#include "app/config/disk_shares.hpp"
#include "app/config/private_paths.hpp"
#include "app/config/secrets.hpp"
#include "base/files.hpp"
#include "redis/url.hpp"

namespace gaur::app {
namespace {

constexpr std::uintmax_t kLargestSql = 8 << 20;

Duration duration(const Settings& settings, const KeyPath& path) {
  return Duration(static_cast<std::int64_t>(settings.whole(path)));
}

std::uint32_t small(const Settings& settings, const KeyPath& path) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(settings.whole(path), UINT32_MAX));
}

/// FNV-1a: unlike std::hash the same in all builds and on all machines.
std::uint32_t stable_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::optional<RedisConfig> read_redis(Settings& settings) {
  RedisConfig redis;
  redis.url = settings.text({"store", "url"});
  if (redis.url.starts_with("embedded:")) return std::nullopt;
  const KeyPath dialect{"store", "dialect"};
  std::string word = settings.text(dialect);
  redis.prefix = settings.text({"store", "prefix"});
  if (const auto parsed = redis::parse_url(redis.url)) {  // its errors are reported when it is read
    redis.endpoint = parsed->endpoint;
    if (parsed->prefix && !settings.is_set({"store", "prefix"})) redis.prefix = *parsed->prefix;
    if (parsed->dialect && !settings.is_set(dialect)) word = *parsed->dialect;
    redis.allow_eviction = parsed->allow_eviction;
  }
  if (word != "auto" && word != "bull")
    settings.problem({"store", "url"}, fmt::format("dialect takes auto or bull, not \"{}\"", word));
  const auto passwords = read_secret(settings, {"store", "password"}, {"store", "password_file"}).lines;
  const std::string password = passwords.empty() ? "" : passwords.front();
  if (!password.empty()) redis.endpoint.password = password;
  redis.detect = word == "auto";
  if (settings.flag({"store", "allow_eviction"})) redis.allow_eviction = true;
  redis.fail_fast = settings.text({"store", "when_away"}) == "fail";
  redis.connect_timeout = duration(settings, {"store", "connect_timeout"});
  return redis;
}

QueueConfig read_queue(Settings& settings, const std::string& name, bool redis) {
  const auto key = [&](const char* last) { return KeyPath{"queues", name, last}; };
  QueueConfig queue;
  const std::string order = settings.text(key("order"));
  queue.backfill = order == "auto" ? !redis : order == "backfill";
  queue.max_waiting = settings.whole(key("max_waiting"));
  queue.max_head_wait = duration(settings, key("max_head_wait"));
  queue.take_unknown = settings.text(key("unknown")) == "fail";
  queue.weight = settings.number(key("weight")).value_or(1);
  // Bull keeps finished jobs by default; a host beside Bull workers must not remove its history.
  const auto count = [&](const char* last) {
    const auto given = settings.maybe_whole(key(last));
    return given || redis ? given : std::optional<std::uint64_t>(10'000);
  };
  const auto age = [&](const char* last, std::int64_t days) -> std::optional<Duration> {
    if (settings.maybe_whole(key(last))) return duration(settings, key(last));
    return redis ? std::nullopt : std::optional<Duration>(std::chrono::hours(24 * days));
  };
  queue.keep_completed = count("keep_completed");
  queue.keep_completed_for = age("keep_completed_for", 7);
  queue.keep_failed = count("keep_failed");
  queue.keep_failed_for = age("keep_failed_for", 30);
  const std::string function = settings.text(key("function"));
  if (function.starts_with("data.") && function.size() > 5) {
    queue.function_field = function.substr(5);
  } else if (function != "name") {
    settings.problem(key("function"), fmt::format("takes \"name\" or \"data.FIELD\", not \"{}\"", function));
  }
  return queue;
}

void read_scratch(const Settings& settings, Config& config) {
  const auto scratch = settings.maybe_whole({"machine", "scratch"});
  std::uint64_t share = default_disk_share_of(config.data_folder);
  if (scratch.value_or(0) > 0) share = std::min(share, *scratch / 2);
  config.spill_bytes = settings.maybe_whole({"machine", "spill"}).value_or(share);
  config.scratch_bytes = scratch.value_or(2 * config.spill_bytes);
}

PoolConfig read_pool(const Settings& settings, const std::string& name, const std::filesystem::path& folder,
                     const Config& config) {
  const auto key = [&](const char* last) { return KeyPath{"pools", name, last}; };
  PoolConfig pool;
  pool.duckdb = settings.text(key("kind")) == "duckdb";
  if (pool.duckdb) pool.sandbox = settings.text({"pools", name, "duckdb", "sandbox"});
  pool.extensions = pool.duckdb && !settings.texts({"pools", name, "duckdb", "extensions"}).empty();
  pool.isolation = settings.text(key("isolation"));
  pool.network = settings.text(key("network"));
  for (const std::string& path : settings.texts(key("read"))) pool.read.emplace_back(path);
  for (const std::string& path : settings.texts(key("write"))) pool.write.emplace_back(path);
  if (pool.duckdb) {
    for (const std::string& path : settings.texts({"pools", name, "duckdb", "data"}))
      pool.read.emplace_back(path);
  }
  pool.command = settings.texts(key("command"));
  if (const auto env = settings.value(key("env")); env.is_object()) {
    for (const auto& [variable, value] : env.as_object())
      pool.env[std::string(variable)] = std::string(value.as_string());
  }
  const std::string base = settings.origin({"pools", name}).base;
  pool.folder = settings.text(key("folder"));
  if (pool.folder.empty()) pool.folder = base.empty() ? folder : std::filesystem::path(base);
  pool.max_result = settings.whole(key("max_result"));
  pool.max_jobs = settings.whole(key("max_jobs"));
  pool.max_processes = small(settings, key("max_processes"));
  pool.max_rss_bytes = settings.maybe_whole(key("max_rss")).value_or(config.slots.share.memory_bytes / 2);
  pool.max_age = duration(settings, key("max_age"));
  pool.min_runners = small(settings, key("min_runners"));
  if (settings.maybe_whole(key("max_runners"))) pool.max_runners = small(settings, key("max_runners"));
  pool.start_timeout = duration(settings, key("start_timeout"));
  pool.stop_grace = duration(settings, key("stop_grace"));
  pool.max_scratch = settings.maybe_whole(key("max_scratch"))
                         .value_or(config.scratch_bytes / std::max(1U, config.slots.slots));
  pool.max_file = settings.whole(key("max_file"));
  pool.output = {.per_run = settings.whole(key("max_output")),
                 .per_second = settings.whole(key("max_output_rate"))};
  return pool;
}

FunctionConfig read_function(const Settings& settings, const std::string& name) {
  const auto key = [&](const char* last) { return KeyPath{"functions", name, last}; };
  FunctionConfig function;
  function.queue = settings.text(key("queue"));
  const auto queues = settings.names("queues");
  if (function.queue.empty() && queues.size() == 1) function.queue = queues.front();
  function.pool = settings.text(key("pool"));
  function.plan_pool = settings.text(key("plan_pool"));
  function.description = settings.text(key("description"));
  function.cores = settings.number({"functions", name, "needs", "cores"});
  function.memory_bytes = settings.maybe_whole({"functions", name, "needs", "memory"});
  function.max_running = small(settings, key("max_running"));
  function.timeout = duration(settings, key("timeout"));
  if (const Duration wait = duration(settings, key("queue_timeout")); wait.count() > 0)
    function.queue_timeout = wait;
  function.attempts = small(settings, key("attempts"));
  function.max_result = settings.maybe_whole(key("max_result"))
                            .value_or(settings.whole({"pools", function.pool, "max_result"}));
  function.link_files = settings.text(key("on_large")) == "url";
  function.ad_hoc = settings.flag(key("ad_hoc"));
  function.rerun_on_crash = settings.flag(key("rerun_on_crash"));
  if (const std::string file = settings.text(key("sql_file")); !file.empty())
    function.file_sql = gaur::read_file(file, kLargestSql);
  function.params_path = settings.text(key("params_path"));
  if (const auto params = settings.value(key("params")); params.is_object())
    function.params = json::serialize(params);
  return function;
}

/// Slots: the configured number, or BULL_COUNT times the instances of pm2, or computed from the machine.
SlotPlan read_slots(const Settings& settings, const Machine& machine) {
  const auto key = [](const char* last) { return KeyPath{"machine", last}; };
  SlotInputs inputs;
  inputs.cores = settings.number(key("cores")).value_or(machine.cores);
  inputs.memory_bytes = settings.maybe_whole(key("memory")).value_or(machine.memory_bytes);
  inputs.reserve_bytes = settings.maybe_whole(key("reserve_memory"));
  const auto instances = settings.maybe_whole({"worker", "instances"});
  if (settings.maybe_whole(key("slots"))) {
    inputs.slots = std::max(1U, small(settings, key("slots")));
  } else if (instances.value_or(0) > 0) {
    const std::uint64_t count =
        std::max<std::uint64_t>(1, settings.maybe_whole({"worker", "count"}).value_or(1));
    inputs.slots = static_cast<std::uint32_t>(std::min<std::uint64_t>(count * *instances, 1024));
    inputs.why =
        fmt::format("BULL_COUNT {} x {} {}", count, *instances, *instances == 1 ? "instance" : "instances");
  }
  return plan_slots(inputs);
}

void read_producer_only(const Settings& settings, Config& config) {
  const KeyPath slots{"machine", "slots"};
  const KeyPath count{"worker", "count"};
  const auto given = settings.maybe_whole(slots);
  if (given) {
    if (*given == 0)
      config.producer_only_why = fmt::format("slots is 0 ({})", to_string(settings.origin(slots)));
  } else if (settings.maybe_whole(count) == 0U) {
    config.producer_only_why = fmt::format("BULL_COUNT is 0 ({})", to_string(settings.origin(count)));
  }
  config.producer_only = !config.producer_only_why.empty();
}

/// By default a job is not recovered while its function may still run.
RecoveryConfig read_recovery(const Settings& settings, const Config& config) {
  constexpr Duration kLongestRun{600'000};  // the default of functions.*.timeout
  Duration longest{0};
  for (const auto& [name, function] : config.functions) longest = std::max(longest, function.timeout);
  if (config.functions.empty()) longest = kLongestRun;
  const auto or_longest = [&](const char* last) {
    const KeyPath key{"worker", last};
    return settings.maybe_whole(key) ? duration(settings, key) : longest;
  };
  RecoveryConfig recovery;
  const std::string stalled = settings.text({"worker", "stalled"});
  if (stalled == "report") recovery.stalled = RecoveryConfig::Stalled::kReport;
  if (stalled == "off") recovery.stalled = RecoveryConfig::Stalled::kOff;
  if (!config.redis) return recovery;
  recovery.grace = or_longest("grace");
  recovery.orphan_age = or_longest("orphan_age");
  return recovery;
}

ResultsConfig read_results(const Settings& settings, const std::filesystem::path& data_folder) {
  ResultsConfig results;
  results.ttl = duration(settings, {"results", "ttl"});
  results.folder = settings.text({"results", "folder"});
  results.shared = !results.folder.empty();
  // A subfolder of the shared folder: unknown files in it are removed.
  results.folder = results.shared ? results.folder / "gaur-results" : data_folder / "results";
  results.max_bytes =
      settings.maybe_whole({"results", "max_size"}).value_or(default_disk_share_of(results.folder));
  results.public_url = settings.text({"results", "public_url"});
  while (results.public_url.ends_with('/')) results.public_url.pop_back();
  results.link_secret_file = settings.text({"results", "link_secret_file"});
  return results;
}

}  // namespace

Config make_config(Settings& settings, const std::filesystem::path& folder, const Machine& machine,
                   const std::string& host) {
  Config config;
  config.listen = settings.text({"server", "listen"});
  config.tls = {.certificate = settings.text({"server", "tls_certificate"}),
                .key = settings.text({"server", "tls_key"}),
                .client_ca = settings.text({"server", "tls_client_ca"})};
  config.port_file = settings.text({"server", "port_file"});
  config.hosts = settings.texts({"server", "hosts"});
  config.trusted_proxies = settings.texts({"server", "trusted_proxies"});
  config.max_connections = small(settings, {"server", "max_connections"});
  config.max_connections_per_address = small(settings, {"server", "max_connections_per_address"});
  config.max_other_queues = small(settings, {"server", "max_other_queues"});
  config.base_path = settings.text({"server", "base_path"});
  while (config.base_path.ends_with('/')) config.base_path.pop_back();
  config.stop_timeout = duration(settings, {"server", "stop_timeout"});
  config.log_level = parse_log_level(settings.text({"server", "log_level"})).value_or(LogLevel::kInfo);
  config.listen_is_default = !settings.is_set({"server", "listen"});
  config.redis = read_redis(settings);
  read_tokens(settings, config);
  config.data_folder = settings.text({"server", "data"});
  if (!config.redis) {
    config.data_folder = settings.text({"store", "url"}).substr(std::string_view("embedded:").size());
  } else if (config.data_folder.empty()) {
    config.data_folder = folder / "gaur-data";
  }
  check_former_data_folder(settings, config, folder);
  config.relaxed = settings.text({"store", "durability"}) == "relaxed";
  config.reserve_bytes = settings.whole({"store", "reserve"});
  config.machine = machine;
  config.slots = read_slots(settings, machine);
  config.host = host;
  config.worker_name = settings.text({"worker", "name"});
  if (config.worker_name.empty()) {
    config.worker_name = fmt::format("{}-{:08x}", host, stable_hash(config.data_folder.string()));
  }
  config.lock = duration(settings, {"worker", "lock"});
  config.max_stalled = small(settings, {"worker", "max_stalled"});
  config.results = read_results(settings, config.data_folder);
  read_scratch(settings, config);
  config.runner_user = settings.text({"runners", "user"});
  for (const std::string& name : settings.names("queues"))
    config.queues[name] = read_queue(settings, name, config.redis.has_value());
  for (const std::string& name : settings.names("pools"))
    config.pools[name] = read_pool(settings, name, folder, config);
  for (const std::string& name : settings.names("functions"))
    config.functions[name] = read_function(settings, name);
  config.private_paths = private_paths(settings, config);
  config.recovery = read_recovery(settings, config);
  read_producer_only(settings, config);
  check_config(settings, config);
  return config;
}

}  // namespace gaur::app
