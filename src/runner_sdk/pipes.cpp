#include "runner_sdk/pipes.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace gaur::runner_sdk {

Status read_lines(int descriptor, const std::function<bool(std::string_view)>& each) {
  std::string pending;
  std::vector<char> buffer(1 << 16);
  while (true) {
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Errc::kIo, fmt::format("cannot read frames: {}", std::strerror(errno))};
    if (got == 0) return ok();
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      pending += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      const std::string line = std::exchange(pending, {});
      if (!each(line)) return ok();
    }
    pending += bytes;
    if (pending.size() >= kMostFrameBytes) return Error{Errc::kTooLarge, "a frame is longer than 8 MiB"};
  }
}

Status LineWriter::write(std::string line) {
  line += '\n';
  const std::lock_guard lock(mutex_);
  for (std::size_t at = 0; at < line.size();) {
    const auto wrote = ::write(descriptor_, line.data() + at, line.size() - at);
    if (wrote >= 0) {
      at += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN) {  // another process made the pipe non-blocking
      pollfd wait{descriptor_, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return Error{Errc::kIo, fmt::format("cannot send a frame: {}", std::strerror(errno))};
    }
  }
  return ok();
}

}  // namespace gaur::runner_sdk
