#include "app/host/preflight.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "app/host/redis_access.hpp"
#include "bull/inspect.hpp"
#include "redis_store/server_facts.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

/// Whether execvp finds the program on the PATH of the runners.
bool is_on_path(const std::string& program, const PoolConfig& pool) {
  const auto own = pool.env.find("PATH");
  const char* inherited = std::getenv("PATH");
  std::string_view path = own != pool.env.end()  ? std::string_view(own->second)
                          : inherited != nullptr ? std::string_view(inherited)
                                                 : "/bin:/usr/bin";
  while (true) {
    const std::size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    if (is_program(fs::path(folder.empty() ? "." : folder) / program)) return true;
    if (colon == std::string_view::npos) return false;
    path.remove_prefix(colon + 1);
  }
}

bool is_script_name(const std::string& argument) {
  constexpr std::array kEndings{".js", ".cjs", ".mjs", ".ts", ".py", ".sh", ".rb", ".pl", ".jar", ".php"};
  const std::string ending = fs::path(argument).extension().string();
  return !argument.starts_with('-') && std::ranges::find(kEndings, ending) != kEndings.end();
}

void check_command(Settings& settings, const std::string& name, const PoolConfig& pool) {
  const KeyPath key{"pools", name, "command"};
  if (pool.command.empty()) return;  // reported by the configuration check
  const std::string& program = pool.command.front();
  if (program.find('/') != std::string::npos) {
    std::error_code ignored;
    const fs::path path = pool.folder / program;
    if (fs::is_directory(path, ignored)) settings.problem(key, fmt::format("{} is a folder", path.string()));
  } else if (!is_on_path(program, pool)) {
    settings.problem(key,
                     fmt::format("there is no program {} on PATH; install it or write its path", program));
  }
  for (std::size_t i = 1; i < pool.command.size(); ++i) {
    const fs::path script = pool.folder / pool.command[i];
    std::error_code ignored;
    if (!is_script_name(pool.command[i]) || fs::is_regular_file(script, ignored)) continue;
    settings.problem(key,
                     fmt::format("there is no file {}; the path is relative to pools.{}.folder, which is {}",
                                 script.lexically_normal().string(), name, pool.folder.string()));
  }
}

/// The key that is the likely cause of the connection error.
KeyPath key_of(const Settings& settings, const Error& error) {
  const bool password = error.code == Errc::kPermission;
  for (const char* last : {"password_file", "password"}) {
    KeyPath key{"store", last};
    if (password && settings.is_set(key)) return key;
  }
  return {"store", "url"};
}

}  // namespace

void check_needs(Settings& settings, const Config& config) {
  const Resources& capacity = config.slots.capacity;
  for (const auto& [name, function] : config.functions) {
    if (function.cores && *function.cores > capacity.cores) {
      settings.problem({"functions", name, "needs", "cores"},
                       fmt::format("{:g} cores exceed the capacity of this machine ({:g}); a run gets all "
                                   "cores, and no other job runs beside it",
                                   *function.cores, capacity.cores));
    }
    if (function.memory_bytes && *function.memory_bytes > capacity.memory_bytes) {
      settings.problem(
          {"functions", name, "needs", "memory"},
          fmt::format(
              "{} exceed the capacity of this machine ({}: {} minus the reserve); a run gets the whole "
              "capacity, which may not be enough",
              human_bytes(*function.memory_bytes), human_bytes(capacity.memory_bytes),
              human_bytes(capacity.memory_bytes + config.slots.reserve_bytes)));
    }
  }
}

void check_commands(Settings& settings, const Config& config) {
  for (const auto& [name, pool] : config.pools) {
    if (!pool.duckdb) check_command(settings, name, pool);
  }
}

void check_redis_store(Settings& settings, const Config& config) {
  if (!config.redis) return;
  const auto access = RedisAccess::open(settings, *config.redis);
  if (!access) return settings.problem(key_of(settings, access.error()), access.error().message);
  bull::Inspector inspector((*access)->client(), (*access)->prefix());
  const auto facts = inspector.server().get();
  if (!facts) return settings.problem(key_of(settings, facts.error()), facts.error().message);
  if (const Status good = redis_store::acceptable(*facts, config.redis->allow_eviction); !good)
    settings.problem({"store", "url"}, good.error().message);
  for (const auto& [name, queue] : config.queues) {
    const auto evidence = inspector.dialect(QueueName(name)).get();
    if (!evidence) {
      settings.problem({"queues", name}, evidence.error().message);
    } else if (const Status usable = bull::may_be_used_as_bull(QueueName(name), *evidence); !usable) {
      settings.problem({"queues", name}, usable.error().message);
    }
  }
}

}  // namespace gaur::app
