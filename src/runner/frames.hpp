#pragma once
// The line protocol of docs/reference/runner-protocol.md as a codec: bytes to frames and back, no I/O.
// Limits: kMaxFrameBytes a line with its newline, kMaxDetailsBytes for a runner's own figures.
// Change a frame here => change docs/reference/runner-protocol.md and the conformance run (runner_check.cpp).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/run.hpp"
#include "runner/result_folder.hpp"

namespace gaur {

inline constexpr std::size_t kMaxFrameBytes = std::size_t{8} << 20;
inline constexpr std::size_t kMaxDetailsBytes = std::size_t{64} << 10;
inline constexpr int kRunnerProtocol = 1;

/// Cuts a stream of bytes into lines of at most `max_bytes`, newline included. Thread-safety: confined.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  void feed(std::string_view bytes);
  /// The next whole line without its newline, or nothing yet. What it views lives until the next call.
  std::optional<std::string_view> next();
  /// A line grew beyond the bound: nothing more is handed out.
  bool too_long() const { return too_long_; }
  /// What came after the last newline.
  std::string_view rest() const { return std::string_view(buffer_).substr(start_); }

 private:
  std::size_t max_bytes_;
  std::string buffer_;
  std::size_t start_ = 0;    ///< first byte not handed out
  std::size_t scanned_ = 0;  ///< no newline in [start_, scanned_)
  bool too_long_ = false;
};

namespace frame {
struct Ready {
  std::int64_t protocol = 1;
  std::string name;
};
struct Progress {
  std::string run, value;  ///< value: JSON text
};
struct Log {
  std::string run, line;
};
struct Completed {
  std::string run, result;  ///< JSON text, byte for byte as sent
  std::optional<OfferedFile> file;
  Usage usage;
  bool last = false;  ///< the runner ends by itself now: nothing more may be sent to it
};
struct Failed {
  std::string run;
  Failure failure;
  bool final = false;
  Usage usage;
  bool last = false;
};
struct Later {
  std::string run;
  Duration delay{0};
  std::string message;
  Usage usage;
  bool last = false;
};
struct Unknown {  ///< of a type that this version does not know: ignored
  std::string type;
};
}  // namespace frame
using RunnerFrame = std::variant<frame::Ready, frame::Progress, frame::Log, frame::Completed, frame::Failed,
                                 frame::Later, frame::Unknown>;

/// One line from a runner. An error makes it a broken frame; its message says what is wrong with it.
Result<RunnerFrame> parse_frame(std::string_view line);
/// The run that a frame speaks of, or nullptr.
const std::string* run_of(const RunnerFrame& frame);

/// Frames to a runner, newline included. Errors of run_frame: kInvalidArgument: the job's data is not JSON;
/// kTooLarge: the frame would be longer than kMaxFrameBytes.
Result<std::string> run_frame(const RunRequest& request);
std::string cancel_frame(const LockToken& run, std::string_view reason, std::string_view message);
std::string stop_frame();
/// "cancel", "timeout", "lock_lost", "stop".
std::string_view to_string(StopReason reason);

}  // namespace gaur
