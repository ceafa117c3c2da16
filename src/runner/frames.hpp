#pragma once
// The codec of the runner protocol (docs/reference/runner-protocol.md): bytes to frames and back, no I/O.
// Limits: kMaxFrameBytes for a line with its newline, kMaxDetailsBytes for a runner's own metrics.
// A change of a frame changes docs/reference/runner-protocol.md and runner_check.cpp.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/run.hpp"
#include "results/result_folder.hpp"

namespace gaur {

inline constexpr std::size_t kMaxFrameBytes = std::size_t{8} << 20;
inline constexpr std::size_t kMaxDetailsBytes = std::size_t{64} << 10;
inline constexpr int kRunnerProtocol = 1;

/// Splits a stream of bytes into lines of at most `max_bytes`, newline included. Thread-safety: confined.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  void feed(std::string_view bytes);
  /// The next complete line without its newline, or nothing. Valid until the next call.
  std::optional<std::string_view> next();
  /// A line exceeded the limit: next() returns nothing more.
  bool too_long() const { return too_long_; }
  /// The bytes after the last newline.
  std::string_view rest() const { return std::string_view(buffer_).substr(start_); }

 private:
  std::size_t max_bytes_;
  std::string buffer_;
  /// First byte not returned.
  std::size_t start_ = 0;
  /// No newline in [start_, scanned_).
  std::size_t scanned_ = 0;
  bool too_long_ = false;
};

namespace frame {
struct Ready {
  std::int64_t protocol = 1;
  std::string name;
};
struct Progress {
  /// Value: JSON text.
  std::string run, value;
};
struct Log {
  std::string run, line;
};
struct Completed {
  /// JSON text, byte for byte as sent.
  std::string run, result;
  std::optional<results::RunnerFile> file;
  Usage usage;
  /// The runner exits by itself: no frame may be sent to it.
  bool last = false;
};
struct Failed {
  std::string run;
  Failure failure;
  bool final = false;
  Usage usage;
  bool last = false;
};
struct Snooze {
  std::string run;
  Duration delay{0};
  std::string message;
  Usage usage;
  bool last = false;
};
/// A type that this version does not know; ignored.
struct Unknown {
  std::string type;
};
}  // namespace frame
using RunnerFrame = std::variant<frame::Ready, frame::Progress, frame::Log, frame::Completed, frame::Failed,
                                 frame::Snooze, frame::Unknown>;

/// Parses one line from a runner. An error makes it a broken frame; its message names the problem.
Result<RunnerFrame> parse_frame(std::string_view line);
/// The run that the frame names, or nullptr.
const std::string* run_of(const RunnerFrame& frame);

/// Frames to a runner, newline included. Errors of run_frame(): kInvalidArgument (the job's data is not
/// JSON), kTooLarge (longer than kMaxFrameBytes).
Result<std::string> run_frame(const RunRequest& request);
std::string cancel_frame(const LockToken& run, std::string_view reason, std::string_view message);
std::string stop_frame();
/// "cancel", "timeout", "lock_lost", "stop".
std::string_view to_string(StopReason reason);

}  // namespace gaur
