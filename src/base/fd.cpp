#include "base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace gaur {

void Fd::reset() {
  // Not repeated on EINTR: Linux has closed the descriptor, and another thread may have opened its number.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Error errno_error(std::string_view what, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  return {full ? Errc::kStoreFull : Errc::kIo,
          fmt::format("{}: {}", what, std::generic_category().message(error_number))};
}

Result<Pipe> make_pipe(int at_least) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  for (Fd* end : {&pipe.read, &pipe.write}) {
    if (end->get() >= at_least) continue;
    const int moved = ::fcntl(end->get(), F_DUPFD_CLOEXEC, at_least);
    if (moved < 0) return errno_error("pipe", errno);
    *end = Fd(moved);
  }
  return pipe;
}

Status set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return errno_error("fcntl", errno);
  return ok();
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd wait{fd, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return errno_error("write", errno);
    }
  }
  return ok();
}

Result<std::string> read_all(int fd, std::string_view name, std::uintmax_t most) {
  std::string text;
  std::array<char, 64 << 10> block;
  while (true) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(fmt::format("cannot read {}", name), errno);
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > most)
      return Error{Errc::kTooLarge, fmt::format("{} has more than {} bytes", name, most)};
  }
}

}  // namespace gaur
