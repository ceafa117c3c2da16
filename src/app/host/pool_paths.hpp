#pragma once
// What the runners of a command pool with confined files may read and write beside their scratch folder, and
// whether that contains files of the host. A kernel's rule covers a folder with everything below it, and
// nothing can be taken away from it, so such a folder is rejected. Thread-safety: reads files' paths only.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

struct PoolPath {
  std::filesystem::path path;
  /// Below pools.NAME: "folder", "command", "env", "read" or "write".
  const char* key = "";
  bool writable = false;
};
std::vector<PoolPath> paths_of_pool(const PoolConfig& pool);

struct ExposedPath {
  KeyPath key;
  /// What is exposed and what to do.
  std::string message;
};
/// The first of duckdb.data of a duckdb pool that contains a secret or is one. gaur-duckdb itself rejects the
/// data folder.
std::optional<ExposedPath> exposed_to_sql(const Config& config, const std::string& pool);
/// The first path of the pool, or of the system, that contains a file of the host or is in a folder of it.
std::optional<ExposedPath> exposed_path(const Config& config, const std::string& pool);

}  // namespace gaur::app
