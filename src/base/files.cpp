#include "base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.hpp"
#include "base/try.hpp"

namespace gaur {

namespace fs = std::filesystem;

namespace {

Error cannot(std::string_view verb, const fs::path& path, int error_number) {
  return errno_error(fmt::format("cannot {} {}", verb, path.string()), error_number);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

Status write_and_sync(const fs::path& part, std::string_view text, mode_t mode) {
  const Fd made(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!made) return cannot("write", part, errno);
  if (const Status written = write_all(made.get(), text); !written)
    return Error{written.error().code,
                 fmt::format("cannot write {}: {}", part.string(), written.error().message)};
  if (::fsync(made.get()) != 0) return cannot("sync", part, errno);
  return ok();
}

}  // namespace

Result<std::string> read_file(const fs::path& file, std::uintmax_t most) {
  // A pipe that nobody writes to would block the open.
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened) {
    const int why = errno;
    Error error = cannot("read", file, why);
    if (why == ENOENT) error.code = Errc::kNotFound;
    return error;
  }
  struct stat about {};
  if (::fstat(opened.get(), &about) != 0) return cannot("read", file, errno);
  if (!S_ISREG(about.st_mode)) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("cannot read {}: {}", file.string(),
                             S_ISDIR(about.st_mode) ? "Is a directory" : "not a regular file")};
  }
  return read_all(opened.get(), file.string(), most);
}

Result<Fd> open_own(const fs::path& path, int own, int flags) {
  const auto failed = [&](int why) {
    Error error = cannot("open", path, why);
    if (why == ENOENT) error.code = Errc::kNotFound;
    return error;
  };
  std::vector<fs::path> parts;
  fs::path outside = path;
  for (int i = 0; i < own && outside.has_relative_path(); ++i, outside = outside.parent_path())
    parts.push_back(outside.filename());
  Fd at(::open(outside.empty() ? "." : outside.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  while (at && !parts.empty()) {
    const fs::path part = std::move(parts.back());
    parts.pop_back();
    if (part == ".." || part.empty()) return failed(EINVAL);
    const int how = parts.empty() ? flags : O_PATH | O_DIRECTORY;
    at = Fd(::openat(at.get(), part.c_str(), how | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!at) return failed(errno);
  return at;
}

Status sync_folder(const fs::path& folder) {
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return cannot("open", folder, errno);
  // Some file systems do not support or need it for folders.
  if (::fsync(opened.get()) != 0 && errno != EINVAL) return cannot("sync", folder, errno);
  return ok();
}

Status make_folders(const fs::path& folder, mode_t mode) {
  if (folder.empty() || ::mkdir(folder.c_str(), mode) == 0) {
    return folder.empty() ? ok() : sync_folder(folder_of(folder));
  }
  if (errno == ENOENT && folder.has_relative_path() && folder.parent_path() != folder) {
    GAUR_CHECK(make_folders(folder.parent_path(), mode));
    if (::mkdir(folder.c_str(), mode) == 0) return sync_folder(folder_of(folder));
  }
  const int why = errno;
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return ok();
  return cannot("make", folder, why);
}

Status write_file(const fs::path& file, std::string_view text, mode_t mode) {
  GAUR_CHECK(make_folders(file.parent_path(), (mode & S_IROTH) != 0 ? 0777 : 0750));
  const fs::path part = file.string() + ".part";
  Status written = write_and_sync(part, text, mode);
  if (written && ::rename(part.c_str(), file.c_str()) != 0) written = cannot("write", file, errno);
  if (!written) {
    ::unlink(part.c_str());
    return written;
  }
  return sync_folder(folder_of(file));
}

Status rename_durably(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return cannot("rename to", to, errno);
  return sync_folder(folder_of(to));
}

Status exchange_folders(const fs::path& one, const fs::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0)
    return cannot("exchange folders at", other, errno);
  return sync_folder(folder_of(other));
}

std::vector<fs::path> entries_of(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> entries;
  error.clear();
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  return entries;
}

}  // namespace gaur
