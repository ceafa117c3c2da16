#include "embedded/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace gaur::embedded {

namespace fs = std::filesystem;

namespace {

std::string owner_of(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

/// What a host must be able to read.
constexpr std::array kFiles{"store",    "store/data.mdb", "store/lock.mdb", "gaur.lock",
                            "store-id", "link-secret",    "host-id"};

Error of_another_user(const fs::path& path, uid_t owner, const fs::path& folder) {
  return {Errc::kPermission,
          fmt::format("{0} belongs to the user with the number {1}, and this process runs as root: that user "
                      "could not read what root writes there; type `sudo -u '#{1}' gaur ...`, or "
                      "`chown -R root {2}` if root is to use the folder from now on",
                      path.string(), owner, folder.string())};
}

Error unreadable(const fs::path& path, uid_t owner, const fs::path& folder) {
  return {Errc::kPermission,
          fmt::format("{0} belongs to the user with the number {1}, and this process runs as {2}, which may "
                      "not read it; type `sudo chown -R {2} {3}`, or start gaur as the other user",
                      path.string(), owner, ::geteuid(), folder.string())};
}

}  // namespace

Status check_folder_owner(const fs::path& folder) {
  const uid_t self = ::geteuid();
  bool has_files = false;
  struct stat status {};
  for (const char* name : kFiles) {
    const fs::path file = folder / name;
    if (::stat(file.c_str(), &status) != 0) continue;
    has_files = true;
    if (status.st_uid == self) continue;
    if (self == 0) return of_another_user(file, status.st_uid, folder);
    if (::access(file.c_str(), R_OK) != 0) return unreadable(file, status.st_uid, folder);
  }
  if (self != 0 || has_files || ::stat(folder.c_str(), &status) != 0 || status.st_uid == 0) return ok();
  return of_another_user(folder, status.st_uid, folder);
}

Result<Fd> lock_folder(const std::filesystem::path& folder) {
  const std::string path = (folder / "gaur.lock").string();
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return errno_error(fmt::format("cannot open {}", path), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error(fmt::format("cannot lock {}", path), errno);
    return Error{
        Errc::kBusy,
        fmt::format("the data folder {} is in use by process {}; stop that process or choose another folder",
                    folder.string(), owner_of(fd.get()))};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0) return errno_error(fmt::format("cannot write {}", path), errno);
  // The lock is valid even if the disk has no space for the number; a second process then reads "unknown".
  [[maybe_unused]] const ssize_t written = ::pwrite(fd.get(), pid.data(), pid.size(), 0);
  return fd;
}

}  // namespace gaur::embedded
