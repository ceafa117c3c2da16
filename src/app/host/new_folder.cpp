#include "app/host/new_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <vector>

#include "base/files.hpp"
#include "embedded/folder_lock.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = "gaur.lock";
/// What a start creates in its data folder. Nothing else is removed: other programs may write to the folder.
constexpr std::array kOurs{"store",   "store.new", "store-id",  "spec",       "run",
                           "results", "host-id",   "host.json", "link-secret"};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::path& entry : entries_of(folder, ignored)) names.push_back(entry.filename().string());
  return names;
}

/// The process that locked the folder last; 0: it was never locked.
pid_t last_owner(const fs::path& folder) {
  std::ifstream stream(folder / kLock);
  pid_t pid = 0;
  stream >> pid;
  return pid;
}

}  // namespace

Status check_no_links(const fs::path& data_folder) {
  std::vector<fs::path> entries(kOurs.begin(), kOurs.end());
  for (const char* more : {kLock, "running", "store/data.mdb", "store/lock.mdb"}) entries.emplace_back(more);
  for (const fs::path& entry : entries) {
    std::error_code missing;
    if (!fs::is_symlink(data_folder / entry, missing)) continue;
    return Error{
        Errc::kInvalidArgument,
        fmt::format("{} is a symbolic link, and Gaur follows none in its data folder; to use another "
                    "disk, mount it there, or name its folder in server.data, store.url or "
                    "results.folder",
                    (data_folder / entry).string())};
  }
  return ok();
}

fs::path topmost_missing(const fs::path& path) {
  std::error_code ignored;
  fs::path missing;
  for (fs::path at = path; !at.empty() && !fs::exists(at, ignored); at = at.parent_path()) missing = at;
  return missing;
}

void remove_empty_folders(fs::path folder, const fs::path& topmost) {
  std::error_code error;
  while (!topmost.empty() && fs::remove(folder, error) && folder != topmost) folder = folder.parent_path();
}

NewFolder::NewFolder(fs::path folder) : folder_(std::move(folder)), topmost_(topmost_missing(folder_)) {
  for (std::string& name : names_in(folder_)) before_.insert(std::move(name));
  kept_ = before_.contains(kLock);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (kept_ || !fs::is_directory(folder_, ignored)) return;
  const pid_t owner = last_owner(folder_);
  if (owner != 0 && owner != getpid()) return;
  // Locked while it is emptied, so that no other process starts on it. The lock file is removed last.
  const auto lock = embedded::lock_folder(folder_);
  if (!lock) return;
  for (const char* name : kOurs) {
    if (!before_.contains(name)) fs::remove_all(folder_ / name, ignored);
  }
  fs::remove(folder_ / kLock, ignored);
  remove_empty_folders(folder_, topmost_);
}

}  // namespace gaur::app
