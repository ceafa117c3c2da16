#include "embedded/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace gaur::embedded {

namespace {
std::string owner_of(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}
}  // namespace

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
