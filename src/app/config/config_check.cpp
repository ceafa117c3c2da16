#include "app/config/config_check.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "base/number_rule.hpp"
#include "base/suggest.hpp"
#include "gaur/job.hpp"

namespace gaur::app {
namespace {

template <class T>
std::vector<std::string> keys(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

void check_connections(Settings& settings, const Config& config) {
  if (config.max_connections == 0) settings.problem({"server", "max_connections"}, "must be at least 1");
  if (config.max_connections_per_address == 0)
    settings.problem({"server", "max_connections_per_address"}, "must be at least 1");
}

/// An empty path would turn TLS off without a word, so each set key must name a file.
void check_tls(Settings& settings, const Config& config) {
  struct File {
    const char* key;
    const std::filesystem::path& path;
  };
  for (const File& file : {File{"tls_certificate", config.tls.certificate}, File{"tls_key", config.tls.key},
                           File{"tls_client_ca", config.tls.client_ca}}) {
    const KeyPath key{"server", file.key};
    std::error_code ignored;
    if (settings.is_set(key) && !std::filesystem::is_regular_file(file.path, ignored))
      settings.problem(key, fmt::format("there is no file \"{}\"", file.path.string()));
  }
  const bool certificate = !config.tls.certificate.empty();
  if (certificate && config.tls.key.empty())
    settings.problem({"server", "tls_certificate"}, "needs server.tls_key");
  if (!certificate && !config.tls.key.empty())
    settings.problem({"server", "tls_key"}, "needs server.tls_certificate");
  if (!certificate && !config.tls.client_ca.empty())
    settings.problem({"server", "tls_client_ca"}, "needs server.tls_certificate");
}

void check_spill(Settings& settings, const Config& config) {
  const KeyPath spill{"machine", "spill"};
  if (settings.is_set(spill) && config.scratch_bytes > 0 &&
      (config.spill_bytes == 0 || config.spill_bytes > config.scratch_bytes))
    settings.problem(spill,
                     "must be at most machine.scratch, because spill files are in the scratch folders");
}

void check_base_path(Settings& settings, const Config& config) {
  const std::string& path = config.base_path;
  const bool plain =
      path.find_first_not_of("/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
      std::string::npos;
  if (path.empty() || (path.starts_with('/') && plain)) return;
  settings.problem({"server", "base_path"},
                   fmt::format("takes a path like \"/gaur\" of letters, digits and /-._~, not \"{}\"", path));
}

/// Whether the server can listen on it.
bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (text == "localhost" || inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return true;
  const std::string bare =
      text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text;
  return inet_pton(AF_INET6, bare.c_str(), bytes.data()) == 1;
}

void check_listen(Settings& settings, const Config& config) {
  const KeyPath key{"server", "listen"};
  const std::size_t colon = config.listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : config.listen.substr(colon + 1);
  const bool digits =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoul(port) > 65535) {
    settings.problem(key,
                     fmt::format("takes ADDRESS:PORT with a port up to 65535, not \"{}\"", config.listen));
  }
  if (colon == std::string::npos) return;
  const std::string address = config.listen.substr(0, colon);
  if (!is_address(address)) {
    settings.problem(key, fmt::format("\"{}\" is not an address; use an IPv4 address, an IPv6 address in "
                                      "brackets or localhost",
                                      address));
    return;
  }
  const bool loopback = address.starts_with("127.") || address == "[::1]" || address == "localhost";
  // A token that has a problem is reported once.
  const bool token_given = settings.is_set({"server", "token"}) ||
                           settings.is_set({"server", "token_file"}) || !settings.names("tokens").empty();
  if (!loopback && !token_given && config.tls.client_ca.empty()) {
    settings.problem(
        key, fmt::format("{} is reachable from other machines, so server.token_file must be set", address));
  }
}

void check_machine(Settings& settings, const Config& config) {
  const double most = static_cast<double>(config.machine.memory_bytes);
  const auto memory = settings.maybe_whole({"machine", "memory"});
  if (memory && most > 0 && static_cast<double>(*memory) > most) {
    settings.problem({"machine", "memory"},
                     fmt::format("{} exceeds the memory of this machine ({})", human_bytes(*memory),
                                 human_bytes(config.machine.memory_bytes)));
  }
  if (config.slots.capacity.memory_bytes == 0) {
    settings.problem({"machine", "reserve_memory"}, "leaves no memory for jobs");
  }
}

void check_redis(Settings& settings, const Config& config) {
  const KeyPath prefix{"store", "prefix"};
  if (config.redis->prefix.empty()) settings.problem(prefix, "is empty; Bull's default is \"bull\"");
  if (config.redis->prefix.find_first_of("@*?[]\\") != std::string::npos)
    settings.problem(prefix, "must not contain any of @ * ? [ ] \\: events are found by patterns");
}

void check_store(Settings& settings, const Config& config) {
  if (config.redis) return check_redis(settings, config);
  const KeyPath data{"server", "data"};
  if (settings.is_set(data)) settings.problem(data, "an embedded store has its data folder in store.url");
}

void check_results(Settings& settings, const Config& config) {
  const KeyPath key{"results", "public_url"};
  const std::string& url = config.results.public_url;
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  if (!url.empty() && !http)
    settings.problem(key, fmt::format("takes a URL that begins with http:// or https://, not \"{}\"", url));
}

void check_queue(Settings& settings, const Config& config, const std::string& name) {
  if (const Status valid = validate_queue_name(name); !valid)
    settings.problem({"queues", name}, valid.error().message);
  const KeyPath unknown{"queues", name, "unknown"};
  if (!config.redis && settings.is_set(unknown)) {
    settings.problem(unknown,
                     "applies to Redis stores only; an embedded store rejects jobs of functions that are not "
                     "configured when they are added: remove this key");
  }
}

bool is_executable(const PoolConfig& pool) {
  const std::string& program = pool.command.front();
  if (program.find('/') == std::string::npos) return true;  // PATH decides, when it is started
  return access((pool.folder / program).c_str(), X_OK) == 0;
}

/// A frame of the runner protocol has at most 8 MiB, including the members around the result.
void check_max_result(Settings& settings, const KeyPath& key, std::uint64_t bytes) {
  constexpr std::uint64_t kLeast = 64 << 10;
  constexpr std::uint64_t kMost = 7 << 20;
  if (bytes < kLeast || bytes > kMost)
    settings.problem(key,
                     "must be between 64KiB and 7MiB; larger results belong in files (on_large = \"file\")");
}

/// Keys that the pool's isolation would ignore.
void check_isolation_keys(Settings& settings, const std::string& name, const PoolConfig& pool) {
  for (const char* last : {"read", "write"}) {
    const KeyPath key{"pools", name, last};
    if (settings.is_set(key) && pool.duckdb) {
      settings.problem(key, fmt::format("applies to pools of kind \"command\" only; see {}",
                                        to_string(KeyPath{"pools", name, "duckdb", "data"})));
    } else if (settings.is_set(key) && pool.isolation != "strict") {
      settings.problem(key, fmt::format("needs {} = \"strict\": otherwise files are not confined",
                                        to_string(KeyPath{"pools", name, "isolation"})));
    }
  }
  if (pool.isolation == "off" && pool.network == "off")
    settings.problem({"pools", name, "network"}, "\"off\" needs isolation = \"basic\" or \"strict\"");
}

void check_pool(Settings& settings, const std::string& name, const PoolConfig& pool) {
  const auto key = [&](const char* last) { return KeyPath{"pools", name, last}; };
  if (name.find('/') != std::string::npos)
    settings.problem({"pools", name}, "a pool's name may not contain \"/\"");
  if (!pool.duckdb && pool.command.empty()) {
    settings.problem(key("command"),
                     "is missing: a pool of kind \"command\" needs the program that its runners run");
  } else if (!pool.duckdb && !is_executable(pool)) {
    settings.problem(key("command"), fmt::format("{} is not an executable program",
                                                 (pool.folder / pool.command.front()).string()));
  }
  if (pool.duckdb && !pool.command.empty())
    settings.problem(key("command"), "a pool of kind \"duckdb\" has its own program");
  std::error_code ignored;
  if (!std::filesystem::is_directory(pool.folder, ignored)) {
    settings.problem(key("folder"), fmt::format("{} is not a folder", pool.folder.string()));
  }
  check_max_result(settings, key("max_result"), pool.max_result);
  check_isolation_keys(settings, name, pool);
  if (pool.max_runners && *pool.max_runners < std::max(1U, pool.min_runners)) {
    settings.problem(key("max_runners"),
                     fmt::format("must be at least 1 and at least min_runners ({})", pool.min_runners));
  }
}

void check_sql(Settings& settings, const std::string& name, const FunctionConfig& function) {
  const auto key = [&](const char* last) { return KeyPath{"functions", name, last}; };
  const std::string file = settings.text(key("sql_file"));
  const int given = (settings.is_set(key("sql")) ? 1 : 0) + (file.empty() ? 0 : 1);
  if (settings.flag(key("ad_hoc"))) {
    if (given != 0) settings.problem(key("ad_hoc"), "the job contains its SQL; remove sql and sql_file");
    return;
  }
  if (given != 1) {
    settings.problem(
        given == 0 ? KeyPath{"functions", name} : key("sql_file"),
        given == 0 ? "has no SQL: set sql or sql_file" : "sql is set as well; keep one of the two");
  }
  if (function.file_sql) return;
  const Error& error = function.file_sql.error();
  settings.problem(
      key("sql_file"),
      error.code == Errc::kNotFound
          ? fmt::format("there is no file {}", file)
          : fmt::format("{}; use a regular file of at most 8 MiB that this user can read", error.message));
}

/// Rejects keys that only gaur-duckdb reads on a function of another kind of pool: the pool is likely wrong.
void check_no_sql(Settings& settings, const std::string& name) {
  for (const char* last :
       {"sql", "sql_file", "params", "result", "on_large", "format", "ad_hoc", "plan_setup"}) {
    const KeyPath key{"functions", name, last};
    if (settings.is_set(key) && settings.text(key) != "url")
      settings.problem(key, "applies to pools of kind \"duckdb\" only");
  }
}

/// A planned function: one pool plans, a duckdb pool that allows it runs the plan.
void check_plan(Settings& settings, const Config& config, const std::string& name,
                const FunctionConfig& function) {
  const auto key = [&](const char* last) { return KeyPath{"functions", name, last}; };
  const auto planner = config.pools.find(function.plan_pool);
  if (planner == config.pools.end()) {
    settings.problem(key("plan_pool"), fmt::format("there is no pool \"{}\"{}", function.plan_pool,
                                                   did_you_mean(function.plan_pool, keys(config.pools))));
  } else if (planner->second.duckdb) {
    settings.problem(key("plan_pool"),
                     "is of kind \"duckdb\", which cannot plan: name a pool of kind \"command\"");
  }
  for (const char* last : {"sql", "sql_file", "params", "ad_hoc"}) {
    if (settings.is_set(key(last)))
      settings.problem(key(last), "must be removed: plan_pool supplies SQL and parameters");
  }
  const auto pool = config.pools.find(function.pool);
  if (pool == config.pools.end()) return;
  if (!pool->second.duckdb) {
    settings.problem(key("pool"), "must be of kind \"duckdb\" to run what plan_pool plans");
  } else if (!settings.flag({"pools", function.pool, "duckdb", "plans"})) {
    settings.problem(key("plan_pool"), fmt::format("needs pools.{}.duckdb.plans = true", function.pool));
  }
}

void check_function(Settings& settings, const Config& config, const std::string& name,
                    const FunctionConfig& function) {
  const auto key = [&](const char* last) { return KeyPath{"functions", name, last}; };
  const auto pool = config.pools.find(function.pool);
  if (function.pool.empty()) {
    if (!settings.is_set(key("pool")))
      settings.problem(KeyPath{"functions", name}, "has no pool: say which one runs it");
  } else if (pool == config.pools.end()) {
    settings.problem(key("pool"), fmt::format("there is no pool \"{}\"{}", function.pool,
                                              did_you_mean(function.pool, keys(config.pools))));
  } else if (pool->second.duckdb && function.plan_pool.empty()) {
    check_sql(settings, name, function);
  } else if (pool->second.duckdb) {
    // check_plan() below
  } else {
    check_no_sql(settings, name);
  }
  if (!function.plan_pool.empty()) check_plan(settings, config, name, function);
  if (function.queue.empty()) {
    settings.problem(key("queue"), config.queues.empty()
                                       ? "there is no queue: add a [queues.NAME]"
                                       : "is missing, and there are several queues to choose from");
  } else if (!config.queues.contains(function.queue)) {
    settings.problem(key("queue"), fmt::format("there is no queue \"{}\"{}", function.queue,
                                               did_you_mean(function.queue, keys(config.queues))));
  }
  // The threads granted must not add up to more than the machine has, and a query keeps one busy at least.
  if (settings.is_set(key("max_result"))) check_max_result(settings, key("max_result"), function.max_result);
  if (function.cores && *function.cores < 1 && pool != config.pools.end() && pool->second.duckdb) {
    settings.problem(KeyPath{"functions", name, "needs", "cores"},
                     "must be at least 1 in a pool of kind \"duckdb\": a query keeps a core busy");
  }
  const std::uint64_t attempts = settings.whole(key("attempts"));
  if (attempts < 1 || attempts > kMaxAttempts) {
    settings.problem(key("attempts"),
                     fmt::format("{}; it counts the first run as well",
                                 whole_number_rule(1, kMaxAttempts, std::to_string(attempts))));
  }
  if (function.timeout.count() == 0)
    settings.problem(key("timeout"),
                     "must be above 0: a run without a timeout could keep its resources for ever");
}

}  // namespace

void check_former_data_folder(Settings& settings, const Config& config, const std::filesystem::path& folder) {
  const KeyPath key = config.redis ? KeyPath{"server", "data"} : KeyPath{"store", "url"};
  std::error_code ignored;
  if (settings.is_set(key) || std::filesystem::exists(folder / "gaur-data" / "gaur.lock", ignored) ||
      !std::filesystem::exists(folder / "data" / "gaur.lock", ignored))
    return;
  settings.problem(
      key, fmt::format("./data holds Gaur's data and was the default until now, which is "
                       "./gaur-data; keep it with {}, or move it while no host runs: mv data "
                       "gaur-data",
                       config.redis ? "server.data = \"./data\"" : "store.url = \"embedded:./data\""));
}

void check_config(Settings& settings, const Config& config) {
  check_listen(settings, config);
  check_base_path(settings, config);
  check_connections(settings, config);
  check_tls(settings, config);
  check_machine(settings, config);
  check_spill(settings, config);
  check_store(settings, config);
  check_results(settings, config);
  if (config.lock < Duration(1000)) settings.problem({"worker", "lock"}, "must be at least 1s");
  for (const auto& [name, queue] : config.queues) check_queue(settings, config, name);
  for (const auto& [name, pool] : config.pools) check_pool(settings, name, pool);
  for (const auto& [name, function] : config.functions) check_function(settings, config, name, function);
}

}  // namespace gaur::app
