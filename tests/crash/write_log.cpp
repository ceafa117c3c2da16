#include "write_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mutex>

namespace gaur::crash {

namespace {

std::mutex log_mutex;  // guards the following
std::string recorded_file;
std::vector<LoggedWrite> entries;

bool is_recorded(int fd) {
  if (recorded_file.empty()) return false;
  struct stat file {
  }, given{};
  return ::stat(recorded_file.c_str(), &file) == 0 && ::fstat(fd, &given) == 0 &&
         file.st_ino == given.st_ino && file.st_dev == given.st_dev;
}

void log_write(int fd, std::uint64_t offset, const void* bytes, ssize_t size) {
  if (size <= 0) return;
  std::lock_guard lock(log_mutex);
  if (!is_recorded(fd)) return;
  const bool durable = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
  entries.push_back(
      {offset, std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)), durable});
}

void log_sync(int fd, long result) {
  if (result != 0) return;
  std::lock_guard lock(log_mutex);
  if (is_recorded(fd)) entries.push_back({});
}

}  // namespace

void record_writes(const std::filesystem::path& file) {
  std::lock_guard lock(log_mutex);
  recorded_file = file.string();
  entries.clear();
}

std::size_t logged_writes() {
  std::lock_guard lock(log_mutex);
  return entries.size();
}

std::vector<LoggedWrite> take_write_log() {
  std::lock_guard lock(log_mutex);
  recorded_file.clear();
  return std::exchange(entries, {});
}

}  // namespace gaur::crash

// The dynamic linker finds these before libc's, because liblmdb refers to them.
extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const ssize_t written = ::syscall(SYS_pwrite64, fd, bytes, size, offset);
  gaur::crash::log_write(fd, static_cast<std::uint64_t>(offset), bytes, written);
  return written;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  const ssize_t written = ::syscall(SYS_write, fd, bytes, size);
  if (at >= 0) gaur::crash::log_write(fd, static_cast<std::uint64_t>(at), bytes, written);
  return written;
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  const ssize_t written = ::syscall(SYS_writev, fd, parts, count);
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  if (at >= 0) gaur::crash::log_write(fd, static_cast<std::uint64_t>(at), bytes.data(), written);
  return written;
}

int fdatasync(int fd) {
  const long result = ::syscall(SYS_fdatasync, fd);
  gaur::crash::log_sync(fd, result);
  return static_cast<int>(result);
}

int fsync(int fd) {
  const long result = ::syscall(SYS_fsync, fd);
  gaur::crash::log_sync(fd, result);
  return static_cast<int>(result);
}

}  // extern "C"
