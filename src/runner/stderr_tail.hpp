#pragma once
// The end of what a runner wrote to its standard error: the most likely place of the reason for its death.
// Thread-safety: confined.
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace gaur {

/// The newest lines, as valid UTF-8 without control characters: at most 20 of them, each of at most 300
/// bytes.
class StderrTail {
 public:
  void add(std::string_view line);
  void clear() { lines_.clear(); }

  /// The line that most likely names the cause: the last one, but for what Node prints behind an uncaught
  /// error (stack frames, its version). "" if there is none.
  std::string telling_line() const;
  /// All lines, "\n" between them.
  std::string text() const;

 private:
  std::deque<std::string> lines_;
};

/// `line` without terminal sequences and control characters, as valid UTF-8 of at most `bytes` bytes.
std::string plain_line(std::string_view line, std::size_t bytes);

}  // namespace gaur
