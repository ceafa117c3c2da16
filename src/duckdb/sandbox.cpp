#include "duckdb/sandbox.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/landlock.hpp"

namespace gaur::duckdb {
namespace {

namespace fs = std::filesystem;

/// What the C library, DuckDB and the renewal of the program read: libraries, time zones and locales,
/// statistics of the machine and of this process. /proc as a whole, because its entries have no lasting
/// identity; Landlock itself protects other processes' memory and environment.
constexpr const char* kSystemPaths[] = {"/usr",
                                        "/lib",
                                        "/lib64",
                                        "/etc/ld.so.cache",
                                        "/etc/ld.so.conf",
                                        "/etc/ld.so.conf.d",
                                        "/etc/localtime",
                                        "/etc/timezone",
                                        "/proc",
                                        "/sys/fs/cgroup",
                                        "/sys/devices/system",
                                        "/dev/urandom"};
/// The last one resets the peak of resident memory between runs.
constexpr const char* kSystemWritable[] = {"/dev/null", "/proc/self/clear_refs"};

/// The files that this process runs on: its program, the C++ library, libduckdb.
void add_mapped_files(std::vector<fs::path>& paths) {
  std::ifstream maps("/proc/self/maps");
  std::set<std::string> files;
  for (std::string line; std::getline(maps, line);) {
    if (const auto at = line.find('/'); at != std::string::npos) files.insert(line.substr(at));
  }
  paths.insert(paths.end(), files.begin(), files.end());
}

void add_folders_of(std::vector<fs::path>& paths, const char* variable) {
  const char* list = std::getenv(variable);
  std::istringstream parts(list == nullptr ? "" : list);
  for (std::string part; std::getline(parts, part, ':');) {
    if (!part.empty()) paths.emplace_back(part);
  }
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
  rules.write.insert(rules.write.end(), std::begin(kSystemWritable), std::end(kSystemWritable));
  rules.read.assign(std::begin(kSystemPaths), std::end(kSystemPaths));
  add_mapped_files(rules.read);
  add_folders_of(rules.read, "LD_LIBRARY_PATH");
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
