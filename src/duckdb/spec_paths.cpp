// The paths that SQL may read: never the server's own files, whatever the configuration says.
#include <fmt/format.h>

#include "duckdb/spec.hpp"

namespace gaur::duckdb {
namespace {

namespace fs = std::filesystem;

bool contains(const fs::path& folder, const fs::path& path) {
  const auto [end, at] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

void check_apart(const fs::path& path, const std::string& at, const Spec& spec,
                 std::vector<Problem>& problems) {
  if (!spec.server_data.empty()) {
    const auto server = real_path(spec.server_data);
    if (contains(path, server) || contains(server, path)) {
      problems.push_back(
          {at, fmt::format("{} leads to the server's data folder {}: SQL could read its jobs and results; "
                           "keep data and server apart",
                           path.string(), server.string())});
      return;
    }
  }
  for (const auto& folder : spec.own_folders) {
    if (contains(path, folder)) {
      problems.push_back(
          {at, fmt::format("{} contains this runner's own folder {}, and with it what belongs to the server",
                           path.string(), folder.string())});
      return;
    }
  }
}

}  // namespace

fs::path real_path(const fs::path& path) {
  std::error_code error;
  auto absolute = fs::weakly_canonical(fs::absolute(path), error);
  if (error) absolute = fs::absolute(path).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return absolute;
}

void check_paths(Spec& spec, const std::vector<fs::path>& runner_folders, std::vector<Problem>& problems) {
  std::error_code error;
  if (!spec.root.empty() && !fs::is_directory(spec.root, error)) {
    problems.push_back({"root", fmt::format("{} is no folder", spec.root.string())});
    return;
  }
  spec.root = spec.root.empty() ? fs::current_path() : real_path(spec.root);
  for (const auto& folder : runner_folders) {
    if (!folder.empty()) spec.own_folders.push_back(real_path(folder));
  }
  for (const auto& path : spec.data) spec.data_links.push_back((spec.root / path).lexically_normal());
  if (!spec.database.empty()) spec.database_link = (spec.root / spec.database).lexically_normal();
  resolve_paths(spec, problems);
}

void resolve_paths(Spec& spec, std::vector<Problem>& problems) {
  std::error_code error;
  for (std::size_t i = 0; i < spec.data.size(); ++i) {
    const auto at = fmt::format("data.{}", i);
    spec.data[i] = real_path(spec.data_links[i]);
    if (!fs::exists(spec.data[i], error)) {
      problems.push_back({at, fmt::format("{} does not exist", spec.data[i].string())});
    } else {
      check_apart(spec.data[i], at, spec, problems);
    }
  }
  if (spec.database_link.empty()) return;
  spec.database = real_path(spec.database_link);
  if (!fs::is_regular_file(spec.database, error)) {
    problems.push_back(
        {"database", fmt::format("{} is not a file; a database is opened read-only and never created",
                                 spec.database.string())});
  } else {
    check_apart(spec.database, "database", spec, problems);
  }
}

}  // namespace gaur::duckdb
