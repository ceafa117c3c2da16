// Moving a result file: a rename where that is possible, else a copy that can be abandoned.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/fd.hpp"
#include "base/try.hpp"
#include "runner/result_folder.hpp"

namespace gaur {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPiece = 4 << 20;  // bytes between two looks at `abandoned`

Error cannot(std::string_view verb, const fs::path& path) {
  return errno_error(fmt::format("cannot {} {}", verb, path.string()), errno);
}

/// Opens without following links and without waiting for the other end of a fifo.
Result<Fd> open_regular(const fs::path& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) return cannot("open", path);
  return file;
}

Status copy(const Fd& from, const Fd& to, const Abandoned& abandoned) {
  std::vector<char> piece(kPiece);
  while (true) {
    if (abandoned) return Error{Errc::kStopping, "the move of the result file was abandoned"};
    const ssize_t got = ::read(from.get(), piece.data(), piece.size());
    if (got == 0) return ok();
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read the result file", errno);
    GAUR_CHECK(write_all(to.get(), std::string_view(piece.data(), static_cast<std::size_t>(got))));
  }
}

Status copy_and_sync(const Fd& from, mode_t mode, const fs::path& part, const Abandoned& abandoned) {
  const Fd to(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!to) return cannot("write", part);
  if (const Status copied = copy(from, to, abandoned); !copied) {
    return Error{copied.error().code, fmt::format("{}: {}", part.string(), copied.error().message)};
  }
  if (::fsync(to.get()) != 0) return cannot("sync", part);
  return ok();
}

}  // namespace

Status move_file(const fs::path& from, const fs::path& to, const Abandoned& abandoned) {
  GAUR_TRY(const Fd file, open_regular(from));
  struct stat source {
  }, folder{};
  if (::fstat(file.get(), &source) != 0) return cannot("look at", from);
  if (::stat(to.parent_path().c_str(), &folder) != 0) return cannot("look at", to.parent_path());
  if (source.st_dev == folder.st_dev) {
    if (::fsync(file.get()) != 0) return cannot("sync", from);
    if (::rename(from.c_str(), to.c_str()) == 0) return ok();
    if (errno != EXDEV) return cannot("move the result file to", to);  // bind mounts of one device
  }
  const fs::path part = to.string() + ".part";
  Status copied = copy_and_sync(file, source.st_mode & 0777, part, abandoned);
  if (copied && ::rename(part.c_str(), to.c_str()) != 0) copied = cannot("move the result file to", to);
  ::unlink(copied ? from.c_str() : part.c_str());
  return copied;
}

}  // namespace gaur
