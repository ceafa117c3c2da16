#include "app/host/runner_isolation.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "app/host/pool_paths.hpp"
#include "app/text/text_width.hpp"
#include "base/fd.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

Isolation::Level level_of(const PoolConfig& pool) {
  if (pool.isolation == "strict") return Isolation::Level::kStrict;
  if (pool.isolation == "basic") return Isolation::Level::kBasic;
  if (pool.isolation == "off") return Isolation::Level::kOff;
  return pool.duckdb ? Isolation::Level::kStrict : Isolation::Level::kBasic;
}

/// The keeper confines the files of its runners; gaur-duckdb confines its own.
bool is_confined(const PoolConfig& pool) {
  return level_of(pool) == Isolation::Level::kStrict && !pool.duckdb;
}

bool network_of(const PoolConfig& pool, Isolation::Level level) {
  if (level == Isolation::Level::kOff || pool.network == "on") return true;
  if (pool.network == "off") return false;
  return !pool.duckdb || pool.extensions;
}

/// nullopt: runners run as the server's user.
Result<std::optional<UserIds>> runner_user(const Config& config) {
  const std::string& name = config.runner_user;
  if (name == "none") return std::optional<UserIds>();
  if (name == "auto") {
    if (!may_switch_users()) return std::optional<UserIds>();
    auto found = find_user(kRunnerUser);
    if (!found && found.error().code == Errc::kNotFound) return std::optional<UserIds>();
    if (!found) return found.error();
    return std::optional(*std::move(found));
  }
  GAUR_TRY(UserIds user, find_user(name));
  if (user.uid == 0) return Error{Errc::kInvalidArgument, "runners may not run as root"};
  if (!may_switch_users() && user.uid != ::geteuid())
    return Error{Errc::kPermission,
                 fmt::format("this host may not switch to user {}: it needs CAP_SETUID and CAP_SETGID "
                             "(deploy/systemd), or set runners.user = \"none\"",
                             name)};
  return std::optional(std::move(user));
}

Status add_mode(const fs::path& path, mode_t bits) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return errno_error("read the status of " + path.string(), errno);
  const mode_t mode = about.st_mode & 07777;
  if ((mode & bits) == bits || ::chmod(path.c_str(), mode | bits) == 0) return ok();
  return errno_error("change the mode of " + path.string(), errno);
}

/// Whether the mode of the folder lets the user pass.
bool may_pass(const struct stat& about, const UserIds& user) {
  if (about.st_uid == user.uid) return (about.st_mode & S_IXUSR) != 0;
  if (std::ranges::find(user.groups, about.st_gid) != user.groups.end())
    return (about.st_mode & S_IXGRP) != 0;
  return (about.st_mode & S_IXOTH) != 0;
}

/// The topmost folder above `path` that the user cannot pass; "": none.
fs::path closed_folder(const fs::path& path, const UserIds& user) {
  fs::path at;
  for (const fs::path& part : path) {
    at /= part;
    struct stat about {};
    if (::stat(at.c_str(), &about) != 0) break;
    if (S_ISDIR(about.st_mode) && !may_pass(about, user)) return at;
  }
  return {};
}

std::optional<ExposedPath> exposed_path_of(const Config& config, const std::string& pool) {
  if (config.pools.at(pool).duckdb) return exposed_to_sql(config, pool);
  return is_confined(config.pools.at(pool)) ? exposed_path(config, pool) : std::nullopt;
}

}  // namespace

Result<Isolation> isolation_of(const Config& config, const PoolConfig& pool) {
  Isolation isolation;
  isolation.level = level_of(pool);
  isolation.required = pool.isolation == "strict";
  isolation.confine_files = !pool.duckdb;
  isolation.network = network_of(pool, isolation.level);
  GAUR_TRY(isolation.user, runner_user(config));
  if (!is_confined(pool)) return isolation;
  for (PoolPath& one : paths_of_pool(pool))
    (one.writable ? isolation.write : isolation.read).push_back(std::move(one.path));
  return isolation;
}

Status check_paths(const Config& config, const std::string& pool) {
  const auto exposed = exposed_path_of(config, pool);
  if (!exposed) return ok();
  return Error{Errc::kInvalidArgument, to_string(exposed->key) + ": " + exposed->message};
}

Status let_runners_in(const Config& config, const UserIds& user) {
  std::error_code problem;
  const fs::path run = config.data_folder / "run";
  fs::create_directories(run, problem);
  if (problem) return Error{Errc::kIo, fmt::format("cannot create {}: {}", run.string(), problem.message())};
  GAUR_CHECK(add_mode(config.data_folder, S_IXOTH));
  constexpr mode_t kPass = 0711;
  if (::chmod(run.c_str(), kPass) != 0) return errno_error("change the mode of " + run.string(), errno);
  if (const fs::path closed = closed_folder(fs::weakly_canonical(run, problem), user); !closed.empty())
    return Error{Errc::kPermission,
                 fmt::format("user {} cannot pass through {}; move the data folder, open that folder (chmod "
                             "o+x), or set runners.user = \"none\"",
                             user.name, closed.string())};
  return ok();
}

Status let_read(const fs::path& file, const UserIds& user) {
  GAUR_CHECK(add_mode(file.parent_path(), S_IXOTH));
  if (::chown(file.c_str(), static_cast<uid_t>(-1), user.groups.front()) != 0)
    return errno_error("change the group of " + file.string(), errno);
  return add_mode(file, S_IRGRP);
}

void check_isolation(Settings& settings, const Config& config) {
  const auto user = runner_user(config);
  if (!user) settings.problem({"runners", "user"}, user.error().message);
  for (const auto& [name, pool] : config.pools) {
    if (const auto exposed = exposed_path_of(config, name)) settings.problem(exposed->key, exposed->message);
    if (!user || !*user || pool.duckdb) continue;
    if (const fs::path closed = closed_folder(pool.folder, **user); !closed.empty())
      settings.problem({"pools", name, "folder"},
                       fmt::format("user {} (runners.user) cannot pass through {}; open that folder (chmod "
                                   "o+x) or set runners.user = \"none\"",
                                   (*user)->name, closed.string()));
  }
}

std::vector<std::string> isolation_warnings(const Config& config) {
  std::vector<std::string> warnings;
  if (::geteuid() != 0 || config.pools.empty()) return warnings;
  const auto user = runner_user(config);
  if (!user || !*user) {
    warnings.push_back(fmt::format(
        "gaur runs as root and so do its runners: a job that is not confined by isolation = \"strict\" can "
        "read, change and remove every file of root, the store included, and write settings of the kernel, "
        "such as /proc/PID/oom_score_adj of the host. Create the user {} (useradd --system {}), set "
        "runners.user, or start gaur as another user",
        kRunnerUser, kRunnerUser));
  }
  return warnings;
}

void print_isolation(const Config& config) {
  for (const auto& [name, pool] : config.pools) {
    const auto isolation = isolation_of(config, pool);
    if (!isolation) continue;  // a problem of runners.user
    fmt::print("\nisolation of pool {}: {}\n", name, to_string(isolation->level));
    for (Protection& one : protections_of(*isolation)) {
      if (one.name == kFilesProtection && !check_paths(config, name))
        one.missing = "its paths contain files of the host; no runner starts, see the problem below";
      fmt::print("  {}  {}\n", padded(one.name, 28), one.missing.empty() ? "yes" : "no: " + one.missing);
    }
  }
}

}  // namespace gaur::app
