#pragma once
// The runner's side of the runner protocol (docs/reference/runner-protocol.md): reads and writes lines.
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/raw_value.hpp"
#include "gaur/result.hpp"

namespace gaur::duckdb {

inline constexpr std::size_t kMostFrameBytes = 8 << 20;
inline constexpr std::size_t kMostFrameDepth = json::kFrameDepth;

/// One frame from Gaur. The job's data keeps its text, so that numbers keep their digits.
struct Frame {
  /// Every member but `data`.
  json::Object head;
  /// Null if missing.
  json::RawValue data;
  /// The received line.
  std::string text;
};
/// Errors: kInvalidArgument; kTooLarge.
Result<Frame> parse_frame(std::string line);

/// Reads frames until `each` returns false, at end of file, or, between two frames, when `wake` becomes
/// readable; it loses no byte. Errors: kInvalidArgument, kTooLarge for a broken frame; kIo.
/// Thread-safety: confined; blocks its thread.
enum class ReadEnd { kStopped, kEndOfFile, kWoken };
Result<ReadEnd> read_frames(int descriptor, int wake, const std::function<bool(Frame)>& each);

/// Thread-safety: internally locked; a frame is written in one piece.
class FrameWriter {
 public:
  explicit FrameWriter(int descriptor) : descriptor_(descriptor) {}
  /// Errors: kIo (the reader is gone), kTooLarge.
  Status write(std::string frame);

 private:
  std::mutex mutex_;
  int descriptor_;
};

}  // namespace gaur::duckdb
