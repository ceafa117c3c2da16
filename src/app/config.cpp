#include "app/config.hpp"

#include <fmt/format.h>

#include <fstream>

#include "app/config_check.hpp"

namespace gaur::app {
namespace {

Duration duration(const Settings& settings, const KeyPath& path) {
  return Duration(static_cast<std::int64_t>(settings.whole(path)));
}

std::uint32_t small(const Settings& settings, const KeyPath& path) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(settings.whole(path), UINT32_MAX));
}

/// FNV-1a: stable over builds and machines, which std::hash does not promise.
std::uint32_t stable_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string read_token(Settings& settings) {
  const KeyPath file{"server", "token_file"};
  const std::string path = settings.text(file);
  if (path.empty()) return settings.text({"server", "token"});
  if (settings.is_set({"server", "token"}))
    settings.problem(file, "server.token is set as well; one of the two is enough");
  std::ifstream stream(path);
  std::string token;
  if (!std::getline(stream, token)) settings.problem(file, fmt::format("cannot read a token from {}", path));
  if (token.ends_with('\r')) token.pop_back();
  if (stream && token.size() < 16)
    settings.problem(file, "the token is shorter than 16 bytes, too easy to guess");
  return token;
}

QueueConfig read_queue(Settings& settings, const std::string& name) {
  const auto key = [&](const char* last) { return KeyPath{"queues", name, last}; };
  QueueConfig queue;
  queue.backfill = settings.text(key("order")) == "backfill";
  queue.max_waiting = settings.whole(key("max_waiting"));
  queue.max_head_wait = duration(settings, key("max_head_wait"));
  queue.weight = settings.number(key("weight")).value_or(1);
  queue.keep_completed = settings.whole(key("keep_completed"));
  queue.keep_completed_for = duration(settings, key("keep_completed_for"));
  queue.keep_failed = settings.whole(key("keep_failed"));
  queue.keep_failed_for = duration(settings, key("keep_failed_for"));
  const std::string function = settings.text(key("function"));
  if (function.starts_with("data.") && function.size() > 5) {
    queue.function_field = function.substr(5);
  } else if (function != "name") {
    settings.problem(key("function"), fmt::format("takes \"name\" or \"data.FIELD\", not \"{}\"", function));
  }
  return queue;
}

PoolConfig read_pool(const Settings& settings, const std::string& name, const std::filesystem::path& folder,
                     const SlotPlan& slots) {
  const auto key = [&](const char* last) { return KeyPath{"pools", name, last}; };
  PoolConfig pool;
  pool.duckdb = settings.text(key("kind")) == "duckdb";
  pool.command = settings.texts(key("command"));
  if (const auto env = settings.value(key("env")); env.is_object()) {
    for (const auto& [variable, value] : env.as_object())
      pool.env[std::string(variable)] = std::string(value.as_string());
  }
  const std::string base = settings.origin({"pools", name}).base;
  pool.folder = settings.text(key("folder"));
  if (pool.folder.empty()) pool.folder = base.empty() ? folder : std::filesystem::path(base);
  pool.max_jobs = settings.whole(key("max_jobs"));
  pool.max_rss_bytes = settings.maybe_whole(key("max_rss")).value_or(slots.share.memory_bytes / 2);
  pool.max_age = duration(settings, key("max_age"));
  pool.min_runners = small(settings, key("min_runners"));
  if (settings.maybe_whole(key("max_runners"))) pool.max_runners = small(settings, key("max_runners"));
  pool.start_timeout = duration(settings, key("start_timeout"));
  pool.stop_grace = duration(settings, key("stop_grace"));
  return pool;
}

FunctionConfig read_function(const Settings& settings, const std::string& name) {
  const auto key = [&](const char* last) { return KeyPath{"functions", name, last}; };
  FunctionConfig function;
  function.queue = settings.text(key("queue"));
  const auto queues = settings.names("queues");
  if (function.queue.empty() && queues.size() == 1) function.queue = queues.front();
  function.pool = settings.text(key("pool"));
  function.description = settings.text(key("description"));
  function.cores = settings.number({"functions", name, "needs", "cores"});
  function.memory_bytes = settings.maybe_whole({"functions", name, "needs", "memory"});
  function.max_running = small(settings, key("max_running"));
  function.timeout = duration(settings, key("timeout"));
  if (const Duration wait = duration(settings, key("queue_timeout")); wait.count() > 0)
    function.queue_timeout = wait;
  function.attempts = std::max(1U, small(settings, key("attempts")));
  function.rerun_on_crash = settings.flag(key("rerun_on_crash"));
  function.params_path = settings.text(key("params_path"));
  if (const auto params = settings.value(key("params")); params.is_object())
    function.params = json::serialize(params);
  return function;
}

SlotPlan read_slots(const Settings& settings, const Machine& machine) {
  const auto key = [](const char* last) { return KeyPath{"machine", last}; };
  SlotInputs inputs;
  inputs.cores = settings.number(key("cores")).value_or(machine.cores);
  inputs.memory_bytes = settings.maybe_whole(key("memory")).value_or(machine.memory_bytes);
  inputs.reserve_bytes = settings.maybe_whole(key("reserve_memory"));
  if (settings.maybe_whole(key("slots"))) inputs.slots = std::max(1U, small(settings, key("slots")));
  return plan_slots(inputs);
}

}  // namespace

Config make_config(Settings& settings, const std::filesystem::path& folder, const Machine& machine,
                   const std::string& host) {
  Config config;
  config.listen = settings.text({"server", "listen"});
  config.token = read_token(settings);
  config.port_file = settings.text({"server", "port_file"});
  config.stop_timeout = duration(settings, {"server", "stop_timeout"});
  config.log_level = parse_log_level(settings.text({"server", "log_level"})).value_or(LogLevel::kInfo);
  config.data_folder = settings.text({"store", "url"}).substr(std::string_view("embedded:").size());
  config.relaxed = settings.text({"store", "durability"}) == "relaxed";
  config.reserve_bytes = settings.whole({"store", "reserve"});
  config.machine = machine;
  config.slots = read_slots(settings, machine);
  config.worker_name = settings.text({"worker", "name"});
  if (config.worker_name.empty()) {
    config.worker_name = fmt::format("{}-{:08x}", host, stable_hash(config.data_folder.string()));
  }
  config.lock = duration(settings, {"worker", "lock"});
  config.max_stalled = small(settings, {"worker", "max_stalled"});
  config.results_ttl = duration(settings, {"results", "ttl"});
  for (const std::string& name : settings.names("queues")) config.queues[name] = read_queue(settings, name);
  for (const std::string& name : settings.names("pools"))
    config.pools[name] = read_pool(settings, name, folder, config.slots);
  for (const std::string& name : settings.names("functions"))
    config.functions[name] = read_function(settings, name);
  check_config(settings, config);
  return config;
}

}  // namespace gaur::app
