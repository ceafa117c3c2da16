#pragma once
// Lines on descriptors: what a runner's side of the runner protocol reads and writes (gaur-duckdb and the
// runner SDK).
#include <functional>
#include <mutex>
#include <string>

#include "gaur/result.hpp"

namespace gaur {

/// Longest line of the runner protocol, with its newline.
inline constexpr std::size_t kMostLineBytes = std::size_t{8} << 20;

enum class ReadEnd { kStopped, kEndOfFile, kWoken };

/// Calls `each` with each line, without its newline, until it returns false, at end of file, or, between two
/// lines, when `wake` becomes readable (-1: never); it loses no byte. Errors: kTooLarge, kIo.
/// Thread-safety: confined; blocks its thread.
Result<ReadEnd> read_lines(int descriptor, int wake, const std::function<bool(std::string)>& each);

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

}  // namespace gaur
