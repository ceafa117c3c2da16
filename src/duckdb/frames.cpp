#include "duckdb/frames.hpp"

#include <utility>

#include "base/try.hpp"

namespace gaur::duckdb {

Result<Frame> parse_frame(std::string line) {
  GAUR_TRY(const auto members,
           json::members(line, {.max_bytes = kMostLineBytes, .max_depth = json::kFrameDepth}));
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
  Status good = ok();
  const auto read = read_lines(descriptor, wake, [&](std::string line) {
    auto frame = parse_frame(std::move(line));
    if (frame) return each(*std::move(frame));
    good = frame.error();
    return false;
  });
  GAUR_CHECK(good);
  return read;
}

}  // namespace gaur::duckdb
