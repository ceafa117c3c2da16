#include "base/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string_view>

#include "base/try.hpp"

namespace gaur {
namespace {

/// Bounds the memory for a folder with millions of entries.
constexpr std::size_t kNamesAtOnce = 4096;

bool remove_entry(int folder, const std::string& name) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return true;
  return ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0;
}

/// Removes the content of folders from the top down: subfolders move up into `top`, so that the depth needs
/// neither recursion nor descriptors.
class Emptying {
 public:
  Emptying(int top, const std::set<std::string>& kept, std::size_t most)
      : top_(top), kept_(kept), most_(most) {}

  Status run() {
    while (true) {
      std::vector<std::string> names = names_in(top_, kNamesAtOnce + kept_.size());
      std::erase_if(names, [this](const std::string& name) { return kept_.contains(name); });
      if (names.empty()) return ok();
      if (most_ < names.size()) return Error{Errc::kTooLarge, "too many files"};
      most_ -= names.size();
      bool any_removed = false;
      int problem = 0;
      for (const std::string& name : names) {
        if (remove_entry(top_, name) || empty_below(name)) {
          any_removed = true;
        } else {
          problem = errno;
        }
      }
      if (!any_removed) return errno_error("remove " + names.front(), problem);
    }
  }

 private:
  /// Returns whether anything in it was removed or moved.
  bool empty_below(const std::string& name) {
    const Fd below = open_folder_at(top_, name);
    if (!below) return false;
    bool any = false;
    for (const std::string& entry : names_in(below.get(), kNamesAtOnce))
      any = remove_entry(below.get(), entry) || move_up(below.get(), entry) || any;
    return remove_entry(top_, name) || any;
  }

  bool move_up(int below, const std::string& entry) {
    open_folder_at(below, entry);  // moving a folder needs the permission to write it
    const std::string unused = fmt::format(".up-{}", ++moved_);
    return ::renameat(below, entry.c_str(), top_, unused.c_str()) == 0;
  }

  int top_;
  const std::set<std::string>& kept_;
  std::size_t most_;
  std::uint64_t moved_ = 0;
};

}  // namespace

Fd open_folder_at(int parent, const std::string& name) {
  const Fd found(::openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!found) return {};
  const std::string self = fmt::format("/proc/self/fd/{}", found.get());
  struct stat info {};
  if (::fstat(found.get(), &info) == 0 && (info.st_mode & S_IRWXU) != S_IRWXU) ::chmod(self.c_str(), S_IRWXU);
  return Fd(::openat(found.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::vector<std::string> names_in(int folder, std::size_t most) {
  std::vector<std::string> names;
  alignas(dirent64) char block[32 << 10];
  if (::lseek(folder, 0, SEEK_SET) != 0) return names;
  while (names.size() < most) {
    const ssize_t got = ::getdents64(folder, block, sizeof block);
    if (got <= 0) break;
    for (ssize_t at = 0; at < got && names.size() < most;) {
      const auto* entry = reinterpret_cast<const dirent64*>(block + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
  }
  return names;
}

Status remove_entries(int folder, const std::set<std::string>& kept, std::size_t most) {
  return Emptying(folder, kept, most).run();
}

Status remove_tree(const std::filesystem::path& path) {
  if (remove_entry(AT_FDCWD, path.string())) return ok();
  const Fd top = open_folder_at(AT_FDCWD, path.string());
  if (!top) return errno_error("open " + path.string(), errno);
  GAUR_CHECK(remove_entries(top.get(), {}, SIZE_MAX));
  if (remove_entry(AT_FDCWD, path.string())) return ok();
  return errno_error("remove " + path.string(), errno);
}

}  // namespace gaur
