#include "duckdb/frames_io.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/try.hpp"

namespace gaur::duckdb {

namespace {

/// Blocks until a descriptor is readable; returns true if only the wake-up is.
Result<bool> wait_woken(int descriptor, int wake) {
  pollfd waits[] = {{descriptor, POLLIN, 0}, {wake, POLLIN, 0}};
  while (poll(waits, 2, -1) < 0) {
    if (errno != EINTR)
      return Error{Errc::kIo, fmt::format("cannot wait for frames: {}", std::strerror(errno))};
  }
  return waits[1].revents != 0 && waits[0].revents == 0;
}

}  // namespace

Result<Frame> parse_frame(std::string line) {
  GAUR_TRY(const auto members,
           json::members(line, {.max_bytes = kMostFrameBytes, .max_depth = kMostFrameDepth}));
  Frame frame;
  for (const auto& [key, value] : members) {
    if (key == "data") {
      frame.data = json::RawValue(value);
    } else {
      GAUR_TRY(frame.head[key], json::parse(value));
    }
  }
  frame.text = std::move(line);
  return frame;
}

Result<ReadEnd> read_frames(int descriptor, int wake, const std::function<bool(Frame)>& each) {
  std::string pending;
  std::vector<char> buffer(1 << 16);
  while (true) {
    if (pending.empty()) {
      GAUR_TRY(const bool woken, wait_woken(descriptor, wake));
      if (woken) return ReadEnd::kWoken;
    }
    const auto got = read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Errc::kIo, fmt::format("cannot read frames: {}", std::strerror(errno))};
    if (got == 0) return ReadEnd::kEndOfFile;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n', from)) {
      pending += bytes.substr(from, end - from);
      from = end + 1;
      GAUR_TRY(auto frame, parse_frame(std::exchange(pending, {})));
      if (!each(std::move(frame))) return ReadEnd::kStopped;
    }
    pending += bytes.substr(from);
    if (pending.size() > kMostFrameBytes) return Error{Errc::kTooLarge, "a frame is longer than 8 MiB"};
  }
}

Status FrameWriter::write(std::string frame) {
  frame += '\n';
  if (frame.size() > kMostFrameBytes) return Error{Errc::kTooLarge, "a frame would be longer than 8 MiB"};
  const std::lock_guard lock(mutex_);
  for (std::size_t at = 0; at < frame.size();) {
    const auto wrote = ::write(descriptor_, frame.data() + at, frame.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Error{Errc::kIo, fmt::format("cannot send a frame: {}", std::strerror(errno))};
    at += static_cast<std::size_t>(wrote);
  }
  return ok();
}

}  // namespace gaur::duckdb
