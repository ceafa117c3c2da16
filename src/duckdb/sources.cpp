#include "duckdb/sources.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/files.hpp"

namespace gaur::duckdb {
namespace {

namespace fs = std::filesystem;

constexpr int kOwnDescriptors = 5;  // 0 to 4 were given to the process

FileIdentity identity_of(const struct stat& about) {
  return {about.st_dev, about.st_ino, about.st_size,
          static_cast<std::int64_t>(about.st_mtim.tv_sec) * 1'000'000'000 + about.st_mtim.tv_nsec};
}

FileIdentity identity_of(const fs::path& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 ? identity_of(about) : FileIdentity{};
}

fs::path log_of(const fs::path& database) {
  return database.string() + ".wal";
}

bool is_inside_any(const std::vector<fs::path>& folders, const fs::path& path) {
  return std::any_of(folders.begin(), folders.end(), [&](const fs::path& folder) {
    return !folder.empty() &&
           std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
  });
}

bool is_readable(const fs::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file || errno != EACCES;
}

}  // namespace

Sources::Sources(const Spec& spec, bool renewed) {
  for (const auto& path : spec.data) first_.push_back(renewed ? FileIdentity{} : identity_of(path));
  first_.push_back(renewed ? FileIdentity{} : identity_of(spec.database));
  resolved(spec);
}

void Sources::resolved(const Spec& spec) {
  folders_.clear();
  for (const auto& path : spec.data) folders_.push_back(identity_of(path));
}

void Sources::opened(const Spec& spec) {
  held_.clear();
  std::error_code error;
  for (const fs::path& entry : entries_of("/proc/self/fd", error)) {
    const int descriptor = std::atoi(entry.filename().c_str());
    struct stat about {};
    if (descriptor < kOwnDescriptors || ::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) continue;
    if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY) continue;
    std::error_code gone;
    auto path = fs::read_symlink(entry, gone);
    if (gone || path.string().starts_with("/memfd:") || is_inside_any(spec.own_folders, path)) continue;
    held_.push_back({path, identity_of(about), identity_of(log_of(path))});
  }
}

std::string Sources::changed(const Spec& spec) const {
  if (!spec.database.empty() && real_path(spec.database_link) != spec.database)
    return spec.database_link.string();
  for (std::size_t i = 0; i < spec.data.size(); ++i) {
    if (real_path(spec.data_links[i]) != spec.data[i] || !identity_of(spec.data[i]).same_file(folders_[i]))
      return spec.data_links[i].string();
  }
  for (const auto& held : held_) {
    if (identity_of(held.path) != held.file) return held.path.string();
    if (identity_of(log_of(held.path)) != held.log) return log_of(held.path).string();
  }
  return "";
}

std::string Sources::out_of_reach(const Spec& spec) const {
  const auto lost = [](const fs::path& path, const FileIdentity& first) {
    return !path.empty() && !identity_of(path).same_file(first) && !is_readable(path);
  };
  for (std::size_t i = 0; i < spec.data.size(); ++i) {
    if (lost(spec.data[i], first_[i])) return spec.data[i].string();
  }
  return lost(spec.database, first_.back()) ? spec.database.string() : "";
}

}  // namespace gaur::duckdb
