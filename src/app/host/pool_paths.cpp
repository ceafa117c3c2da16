#include "app/host/pool_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "app/config/private_paths.hpp"
#include "base/landlock.hpp"
#include "runner/isolation.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

/// "/srv/app/token (server.token_file) and /srv/app/d (the data folder)"; "": none.
std::string overlapping(const Config& config, const PoolPath& given) {
  const fs::path path = resolved(given.path);
  std::string text;
  for (const PrivatePath& own : config.private_paths) {
    const bool wanted = own.readable && std::string_view(given.key) == "read";
    if (wanted || !overlap(path, own.path)) continue;
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", own.path.string(), own.what);
  }
  return text;
}

std::string remedy(const PoolPath& path, const std::string& pool) {
  const std::string key = to_string({"pools", pool, path.key});
  if (std::string_view(path.key) == "folder")
    return fmt::format("move the pool's program to a folder of its own and set {} = \"THAT FOLDER\"", key);
  if (std::string_view(path.key).empty()) return "move these files to another folder";
  return fmt::format("name narrower paths in {}, or move these files to another folder", key);
}

}  // namespace

std::vector<PoolPath> paths_of_pool(const PoolConfig& pool) {
  const auto variable = [&](const char* name) {
    const auto own = pool.env.find(name);
    return own != pool.env.end() ? own->second.c_str() : std::getenv(name);
  };
  std::vector<PoolPath> paths{{pool.folder, "folder"}};
  for (fs::path& path : paths_of_command(pool.command, pool.folder, variable("PATH")))
    paths.push_back({std::move(path), "command"});
  for (fs::path& folder : folders_in(variable("LD_LIBRARY_PATH")))
    paths.push_back({std::move(folder), "env"});
  for (const fs::path& path : pool.read) paths.push_back({path, "read"});
  for (const fs::path& path : pool.write) paths.push_back({path, "write", true});
  return paths;
}

std::optional<ExposedPath> exposed_to_sql(const Config& config, const std::string& pool) {
  for (const fs::path& path : config.pools.at(pool).read) {
    for (const PrivatePath& own : config.private_paths) {
      if (own.readable || own.path == resolved(config.data_folder) || !overlap(resolved(path), own.path))
        continue;
      return ExposedPath{
          {"pools", pool, "duckdb", "data"},
          fmt::format("SQL may read {}, which contains {} ({}) or is in it; name narrower paths, or "
                      "move that file to another folder",
                      path.string(), own.path.string(), own.what)};
    }
  }
  return std::nullopt;
}

std::optional<ExposedPath> exposed_path(const Config& config, const std::string& pool) {
  std::vector<PoolPath> paths = paths_of_pool(config.pools.at(pool));
  for (fs::path& path : paths_of_every_runner()) paths.push_back({std::move(path), ""});
  for (const PoolPath& path : paths) {
    const std::string found = overlapping(config, path);
    if (found.empty()) continue;
    const bool system = std::string_view(path.key).empty();
    return ExposedPath{
        {"pools", pool, system ? "isolation" : path.key},
        fmt::format(
            "its runners, of isolation \"strict\", may {} {}, which contains files of this host or is "
            "one of them: {}; {}",
            path.writable ? "write" : "read", path.path.string(), found, remedy(path, pool))};
  }
  return std::nullopt;
}

}  // namespace gaur::app
