#pragma once
// The last lines of a runner's stderr, which usually name the cause of its death.
// Thread-safety: confined.
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace gaur {

/// Keeps the newest 20 lines, at most 300 bytes each, as valid UTF-8 without control characters.
class StderrTail {
 public:
  void add(std::string_view line);
  void clear() { lines_.clear(); }

  /// The line that most likely names the cause: the last one, without the stack frames and the version that
  /// Node prints after an uncaught error. "" if there is none.
  std::string likely_cause() const;
  /// All lines, joined with "\n".
  std::string text() const;

 private:
  std::deque<std::string> lines_;
};

/// `line` without terminal sequences and control characters, as valid UTF-8 of at most `bytes` bytes.
std::string plain_line(std::string_view line, std::size_t bytes);

}  // namespace gaur
