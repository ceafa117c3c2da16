#include "results/move_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/files.hpp"
#include "base/try.hpp"

namespace gaur::results {

namespace fs = std::filesystem;

namespace {

/// Bytes between two checks of `cancelled`.
constexpr std::size_t kChunk = 4 << 20;

Error cannot(std::string_view verb, const fs::path& path) {
  return errno_error(fmt::format("cannot {} {}", verb, path.string()), errno);
}

/// Does not follow symbolic links in the runner's folder and does not block on a fifo.
Result<Fd> open_regular(const fs::path& path) {
  constexpr int kOwnParts = 3;  // the runner's folder, out, the name
  return open_own(path, kOwnParts, O_RDONLY | O_NONBLOCK);
}

Status copy(const Fd& from, const Fd& to, const CancelFlag& cancelled) {
  std::vector<char> chunk(kChunk);
  while (true) {
    if (cancelled) return Error{Errc::kStopping, "the move of the result file was cancelled"};
    const ssize_t got = ::read(from.get(), chunk.data(), chunk.size());
    if (got == 0) return ok();
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read the result file", errno);
    GAUR_CHECK(write_all(to.get(), std::string_view(chunk.data(), static_cast<std::size_t>(got))));
  }
}

Status copy_and_sync(const Fd& from, mode_t mode, const fs::path& part, const CancelFlag& cancelled) {
  const Fd to(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!to) return cannot("write", part);
  if (const Status copied = copy(from, to, cancelled); !copied) {
    return Error{copied.error().code, fmt::format("{}: {}", part.string(), copied.error().message)};
  }
  if (::fsync(to.get()) != 0) return cannot("sync", part);
  return ok();
}

}  // namespace

Status move_file(const fs::path& from, const fs::path& to, const CancelFlag& cancelled) {
  GAUR_TRY(const Fd file, open_regular(from));
  struct stat source {
  }, folder{};
  if (::fstat(file.get(), &source) != 0) return cannot("read the status of", from);
  if (::stat(to.parent_path().c_str(), &folder) != 0) return cannot("read the status of", to.parent_path());
  // A runner of another user keeps no right to the file.
  if (source.st_uid != ::geteuid() && ::fchown(file.get(), ::geteuid(), ::getegid()) != 0)
    return cannot("take over", from);
  if (source.st_dev == folder.st_dev) {
    if (::fsync(file.get()) != 0) return cannot("sync", from);
    if (::rename(from.c_str(), to.c_str()) == 0) return ok();
    // Bind mounts of one device have the same number and still cannot rename.
    if (errno != EXDEV) return cannot("move the result file to", to);
  }
  const fs::path part = to.string() + ".part";
  Status copied = copy_and_sync(file, source.st_mode & 0777, part, cancelled);
  if (copied && ::rename(part.c_str(), to.c_str()) != 0) copied = cannot("move the result file to", to);
  ::unlink(copied ? from.c_str() : part.c_str());
  return copied;
}

}  // namespace gaur::results
