#pragma once
// The runner's side of the protocol: lines in on one descriptor, lines out on another
// (docs/reference/runner-protocol.md).
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/raw_value.hpp"
#include "gaur/result.hpp"

namespace gaur::duckdb {

inline constexpr std::size_t kMostFrameBytes = 8 << 20;
inline constexpr std::size_t kMostFrameDepth = json::kFrameDepth;

/// One frame from Gaur. The job's data stays as it was written, so that its numbers keep their digits.
struct Frame {
  json::Object head;    ///< every member but `data`
  json::RawValue data;  ///< null where there is none
  std::string text;     ///< the line as it came
};
/// Errors: kInvalidArgument; kTooLarge.
Result<Frame> parse_frame(std::string line);

/// Reads frames until `each` returns false, the end of file, or, between two frames, until `wake` can be
/// read: then nothing that came was lost. Errors: kInvalidArgument, kTooLarge for a broken frame; kIo.
/// Thread-safety: confined; blocks its thread.
enum class ReadEnd { kStopped, kEndOfFile, kWoken };
Result<ReadEnd> read_frames(int descriptor, int wake, const std::function<bool(Frame)>& each);

/// Thread-safety: internally locked; a frame is written whole.
class FrameWriter {
 public:
  explicit FrameWriter(int descriptor) : descriptor_(descriptor) {}
  /// Errors: kIo, when the other side is gone; kTooLarge.
  Status write(std::string frame);

 private:
  std::mutex mutex_;
  int descriptor_;
};

}  // namespace gaur::duckdb
