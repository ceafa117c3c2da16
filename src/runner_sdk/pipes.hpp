#pragma once
// Reads lines from one descriptor and writes lines to another.
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::runner_sdk {

/// With the newline.
inline constexpr std::size_t kMostFrameBytes = std::size_t{8} << 20;

/// Calls `each` with each line, without its newline, until it returns false or the file ends. Blocks. Errors:
/// kTooLarge, kIo.
Status read_lines(int descriptor, const std::function<bool(std::string_view)>& each);

/// Thread-safety: internally locked; a line is written in one piece.
class LineWriter {
 public:
  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}
  /// Errors: kIo (the reader is gone).
  Status write(std::string line);

 private:
  std::mutex mutex_;
  int descriptor_;
};

}  // namespace gaur::runner_sdk
