#include "runner/scratch_size.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <vector>

namespace gaur {

namespace {

constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks
/// Each level needs a descriptor. Deeper folders are not measured.
constexpr std::size_t kDeepest = 256;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// nullptr: it is gone, or no folder.
Folder open_folder(int at, const char* name) {
  const int fd = ::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  Folder folder(fd < 0 ? nullptr : ::fdopendir(fd));
  if (fd >= 0 && !folder) ::close(fd);
  return folder;
}

/// Each name of a file with several counts its part.
std::uint64_t size_of(const struct stat& status) {
  const bool shared = !S_ISDIR(status.st_mode) && status.st_nlink > 1;
  const auto bytes = static_cast<std::uint64_t>(status.st_blocks) * kBlock;
  return shared ? bytes / status.st_nlink : bytes;
}

}  // namespace

std::uint64_t scratch_size(const std::filesystem::path& folder, const std::atomic<bool>& stop) {
  std::uint64_t sum = 0;
  std::vector<Folder> open;
  if (Folder top = open_folder(AT_FDCWD, folder.c_str())) open.push_back(std::move(top));
  while (!open.empty() && !stop) {
    DIR* const here = open.back().get();
    const dirent* const entry = ::readdir(here);
    if (entry == nullptr) {
      open.pop_back();
      continue;
    }
    const std::string_view name = entry->d_name;
    struct stat status {};
    if (name == "." || name == ".." ||
        ::fstatat(::dirfd(here), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    sum += size_of(status);
    if (!S_ISDIR(status.st_mode) || open.size() >= kDeepest) continue;
    if (Folder below = open_folder(::dirfd(here), entry->d_name)) open.push_back(std::move(below));
  }
  return sum;
}

}  // namespace gaur
