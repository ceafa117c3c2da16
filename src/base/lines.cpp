#include "base/lines.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/try.hpp"

namespace gaur {

namespace {

/// Blocks until a descriptor is readable; returns true if only `wake` is.
Result<bool> wait_woken(int descriptor, int wake) {
  pollfd waits[] = {{descriptor, POLLIN, 0}, {wake, POLLIN, 0}};
  while (::poll(waits, 2, -1) < 0) {
    if (errno != EINTR) return errno_error("cannot wait for lines", errno);
  }
  return waits[1].revents != 0 && waits[0].revents == 0;
}

}  // namespace

Result<ReadEnd> read_lines(int descriptor, int wake, const std::function<bool(std::string)>& each) {
  std::string pending;
  std::vector<char> buffer(1 << 16);
  while (true) {
    if (wake >= 0 && pending.empty()) {
      GAUR_TRY(const bool woken, wait_woken(descriptor, wake));
      if (woken) return ReadEnd::kWoken;
    }
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read lines", errno);
    if (got == 0) return ReadEnd::kEndOfFile;
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      pending += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (!each(std::exchange(pending, {}))) return ReadEnd::kStopped;
    }
    pending += bytes;
    if (pending.size() >= kMostLineBytes) return Error{Errc::kTooLarge, "a line is longer than 8 MiB"};
  }
}

Status LineWriter::write(std::string line) {
  line += '\n';
  const std::lock_guard lock(mutex_);
  return write_all(descriptor_, line);
}

}  // namespace gaur
