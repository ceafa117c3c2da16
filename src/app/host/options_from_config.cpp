#include "app/host/options_from_config.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/host/duckdb_spec.hpp"
#include "app/host/new_folder.hpp"
#include "app/host/runner_isolation.hpp"
#include "base/files.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

Retention retention(std::optional<std::uint64_t> count, std::optional<Duration> age) {
  Retention made{.count = count, .age = {}};
  if (age) made.age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  return made;
}

FunctionPolicy policy(const QueueConfig& queue, const FunctionConfig& function) {
  FunctionPolicy made;
  made.timeout = function.timeout;
  made.queue_timeout = function.queue_timeout;
  made.attempts = function.attempts;
  made.keep_completed = retention(queue.keep_completed, queue.keep_completed_for);
  made.keep_failed = retention(queue.keep_failed, queue.keep_failed_for);
  made.rerun_on_crash = function.rerun_on_crash;
  made.result_bytes = function.max_result;
  return made;
}

PoolOptions pool_options(const PoolConfig& pool, const SlotPlan& slots) {
  PoolOptions options;
  options.command = pool.command;
  options.kind = pool.duckdb ? "duckdb" : "command";
  options.env = pool.env;
  options.working_folder = pool.folder;
  options.threads = static_cast<std::uint32_t>(std::max(1.0, std::floor(slots.share.cores)));
  options.memory_bytes = slots.share.memory_bytes;
  options.min_runners = pool.min_runners;
  options.max_runners = pool.max_runners.value_or(0);
  options.max_jobs = static_cast<std::uint32_t>(std::min<std::uint64_t>(pool.max_jobs, UINT32_MAX));
  options.max_processes = pool.max_processes;
  options.max_rss_bytes = pool.max_rss_bytes;
  options.max_age = pool.max_age;
  options.start_timeout = pool.start_timeout;
  options.stop_grace = pool.stop_grace;
  options.output = pool.output;
  options.max_scratch = pool.max_scratch;
  options.max_file = pool.max_file;
  return options;
}

/// Writes the spec of a duckdb pool and sets the command that runs gaur-duckdb with it.
Status set_duckdb_command(PoolOptions& options, const Settings& settings, const Config& config,
                          const std::string& name) {
  const std::filesystem::path spec = config.data_folder / "spec" / (name + ".json");
  const std::string text = compose_duckdb_spec(settings, config, name);
  // An unchanged file needs no space, so that a host can start again on a full disk.
  if (read_file(spec, text.size()).value_or("") != text) GAUR_CHECK(write_file(spec, text));
  if (options.isolation.user) GAUR_CHECK(let_read(spec, *options.isolation.user));
  options.command = {gaur_duckdb_program().string(), "--spec", spec.string()};
  options.pass_env.emplace_back("GAUR_DUCKDB_LIBRARY");
  return ok();
}

WorkerOptions::Stalled stalled_of(RecoveryConfig::Stalled stalled) {
  switch (stalled) {
    case RecoveryConfig::Stalled::kReport: return WorkerOptions::Stalled::kReport;
    case RecoveryConfig::Stalled::kOff: return WorkerOptions::Stalled::kOff;
    case RecoveryConfig::Stalled::kOn: break;
  }
  return WorkerOptions::Stalled::kOn;
}

}  // namespace

Status write_file(const std::filesystem::path& file, std::string_view text, mode_t mode) {
  const std::filesystem::path folder = file.parent_path();
  const std::filesystem::path topmost = topmost_missing(folder);
  Status written = gaur::write_file(file, text, mode);
  if (!written) remove_empty_folders(folder, topmost);
  return written;
}

LedgerOptions ledger_options(const Config& config) {
  LedgerOptions options;
  options.capacity = config.slots.capacity;
  options.slots = config.slots.slots;
  for (const auto& [name, queue] : config.queues) {
    QueueRules rules;
    rules.name = QueueName(name);
    rules.order = queue.backfill ? QueueOrder::kBackfill : QueueOrder::kFifo;
    rules.max_head_wait = queue.max_head_wait;
    rules.weight = static_cast<std::uint32_t>(std::max(1.0, std::round(queue.weight)));
    rules.function_field = queue.function_field;
    rules.take_unknown = queue.take_unknown;
    options.queues.push_back(rules);
  }
  for (const auto& [name, function] : config.functions) {
    FunctionNeeds needs;
    needs.cores = function.cores;
    needs.memory_bytes = function.memory_bytes;
    needs.max_running = function.max_running;
    needs.result_bytes = function.max_result;
    options.functions[FunctionName(name)] = needs;
  }
  return options;
}

WorkerOptions worker_options(const Config& config, Time started) {
  WorkerOptions options;
  options.name = config.worker_name;
  for (const auto& [name, queue] : config.queues) options.queues.emplace_back(name);
  for (const auto& [name, function] : config.functions) {
    FunctionPolicy made = policy(config.queues.at(function.queue), function);
    made.configured_in = to_string(KeyPath{"functions", name});
    options.functions[FunctionName(name)] = std::move(made);
  }
  options.max_stalled = config.max_stalled;
  options.lock = config.lock;
  options.stalled = stalled_of(config.recovery.stalled);
  options.grace = config.recovery.grace;
  if (config.recovery.orphan_age > Duration{0}) options.orphans_before = started - config.recovery.orphan_age;
  return options;
}

Result<PoolsOptions> pools_options(const Settings& settings, const Config& config) {
  PoolsOptions options;
  options.run_folder = config.data_folder / "run";
  options.max_scratch = config.scratch_bytes;
  for (const auto& [name, pool] : config.pools) {
    GAUR_CHECK(check_paths(config, name));
    PoolOptions made = pool_options(pool, config.slots);
    GAUR_TRY(made.isolation, isolation_of(config, pool));
    if (made.isolation.user) GAUR_CHECK(let_runners_in(config, *made.isolation.user));
    if (pool.duckdb) GAUR_CHECK(set_duckdb_command(made, settings, config, name));
    options.pools[name] = std::move(made);
  }
  for (const auto& [name, function] : config.functions) {
    options.functions[FunctionName(name)] = function.pool;
    options.result_bytes[FunctionName(name)] = function.max_result;
    if (!function.plan_pool.empty()) options.planners[FunctionName(name)] = function.plan_pool;
  }
  return options;
}

std::set<QueueName> configured_queues(const Config& config) {
  std::set<QueueName> names;
  for (const auto& [name, queue] : config.queues) names.insert(QueueName(name));
  return names;
}

ClientOptions client_options(const Config& config) {
  const auto catalog = std::make_shared<FunctionCatalog>();
  for (const auto& [name, function] : config.functions) {
    FunctionInfo info;
    info.name = FunctionName(name);
    info.queue = QueueName(function.queue);
    info.pool = function.pool;
    info.description = function.description;
    info.parameters = function.params;
    info.function_field = config.queues.at(function.queue).function_field;
    info.params_path = function.params_path;
    info.cores = function.cores.value_or(0);
    info.memory_bytes = function.memory_bytes.value_or(0);
    info.ad_hoc = function.ad_hoc;
    info.timeout = function.timeout;
    info.queue_timeout = function.queue_timeout;
    catalog->functions[info.name] = info;
  }
  ClientOptions options;
  for (const auto& [name, queue] : config.queues) {
    options.max_waiting[QueueName(name)] = queue.max_waiting;
    if (!queue.function_field.empty()) catalog->function_field[QueueName(name)] = queue.function_field;
  }
  options.functions = catalog;
  options.configured_queues = configured_queues(config);
  if (config.redis) {
    options.max_other_queues = config.max_other_queues;
  } else {
    options.own_queues = options.configured_queues;
  }
  return options;
}

std::string listening_url(const Config& config, std::uint16_t port) {
  return fmt::format("{}://{}:{}", config.tls.on() ? "https" : "http",
                     config.listen.substr(0, config.listen.rfind(':')), port);
}

ServerOptions server_options(const Config& config, const Logger& log) {
  ServerOptions options;
  options.listen = config.listen;
  options.tokens = config.tokens;
  options.log = log;
  options.tls = config.tls;
  options.hosts = config.hosts;
  options.trusted_proxies = config.trusted_proxies;
  options.base_path = config.base_path;
  options.limits.connections = config.max_connections;
  options.limits.connections_per_address = config.max_connections_per_address;
  return options;
}

}  // namespace gaur::app
