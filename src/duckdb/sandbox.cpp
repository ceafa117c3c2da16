#include "duckdb/sandbox.hpp"

#include <cstdlib>
#include <fstream>
#include <set>

#include "base/landlock.hpp"

namespace gaur::duckdb {
namespace {

namespace fs = std::filesystem;

/// Resets the peak of resident memory between runs.
constexpr const char* kClearRefs = "/proc/self/clear_refs";

/// The files that this process runs on: its program, the C++ library, libduckdb.
void add_mapped_files(std::vector<fs::path>& paths) {
  std::ifstream maps("/proc/self/maps");
  std::set<std::string> files;
  for (std::string line; std::getline(maps, line);) {
    if (const auto at = line.find('/'); at != std::string::npos) files.insert(line.substr(at));
  }
  paths.insert(paths.end(), files.begin(), files.end());
}

bool is_inside(const fs::path& folder, const fs::path& path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

/// A file that is replaced by rename has another identity, which only the rule of its folder covers. A folder
/// with the server's files is never allowed.
fs::path readable_place(const fs::path& file, const Spec& spec, const SandboxPaths& paths) {
  const auto folder = file.parent_path();
  std::error_code error;
  bool holds_ours =
      !spec.server_data.empty() && is_inside(folder, fs::weakly_canonical(spec.server_data, error));
  for (const auto& own : paths.write)
    holds_ours = holds_ours || is_inside(folder, fs::weakly_canonical(own, error));
  return holds_ours ? file : folder;
}

}  // namespace

Status confine(const Spec& spec, const SandboxPaths& paths) {
  LandlockRules rules;
  for (const auto& path : paths.write) {
    if (path.empty()) return Error{Errc::kUnsupported, "GAUR_TMP and GAUR_OUT do not say where it may write"};
    rules.write.push_back(path);
  }
  for (auto& path : system_write_paths()) rules.write.push_back(std::move(path));
  rules.write.emplace_back(kClearRefs);
  rules.read = system_read_paths();
  add_mapped_files(rules.read);
  for (auto& folder : folders_in(std::getenv("LD_LIBRARY_PATH"))) rules.read.push_back(std::move(folder));
  rules.read.push_back(paths.spec_file);
  std::error_code error;
  for (const auto& path : spec.data)
    rules.read.push_back(fs::is_directory(path, error) ? path : readable_place(path, spec, paths));
  if (!spec.database.empty()) rules.read.push_back(readable_place(spec.database, spec, paths));
  if (const char* home = std::getenv("HOME"); home != nullptr && !spec.extensions.empty())
    rules.read.push_back(fs::path(home) / ".duckdb");
  rules.deny_tcp = spec.extensions.empty();  // an operator's extension may be there for its connections
  return confine_this_thread(rules);
}

}  // namespace gaur::duckdb
