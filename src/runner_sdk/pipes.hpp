#pragma once
// Lines in on one descriptor, lines out on another.
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::runner_sdk {

inline constexpr std::size_t kMostFrameBytes = std::size_t{8} << 20;  ///< with the newline

/// Hands each line, without its newline, to `each` until that returns false or the file ends. Errors:
/// kTooLarge, kIo. Blocks its thread.
Status read_lines(int descriptor, const std::function<bool(std::string_view)>& each);

/// Thread-safety: internally locked; a line is written whole.
class LineWriter {
 public:
  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}
  /// Errors: kIo when nobody reads any more.
  Status write(std::string line);

 private:
  std::mutex mutex_;
  int descriptor_;
};

}  // namespace gaur::runner_sdk
