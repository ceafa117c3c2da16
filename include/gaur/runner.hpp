#pragma once
// Functions in C++ as a runner: a program registers them by name and calls run_runner(), which speaks the
// runner protocol (docs/reference/runner-protocol.md) on descriptors 3 and 4 until Gaur stops it. Link with
// gaur_runner_sdk.
//
//   int main() {
//     gaur::RunnerProgram program;
//     program.functions["double"] = [](const gaur::JobView& job, gaur::RunContext&) -> gaur::RunAnswer {
//       return gaur::answer::Completed{std::to_string(2 * job.integer("n").value_or(0))};
//     };
//     return gaur::run_runner(program);
//   }
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "gaur/names.hpp"

namespace gaur {

namespace runner_sdk {
class JobData;
class Session;
}  // namespace runner_sdk

/// The job of a run. Its data is JSON text: parse data(), or use the look-ups below. Thread-safety:
/// immutable; the handler's threads may read it while the handler runs.
class JobView {
 public:
  const std::string& id() const;
  const std::string& queue() const;
  const std::string& name() const;
  const std::string& function() const;
  /// From 1.
  std::uint32_t attempt() const;
  /// The fencing number: grows with every start of this job.
  std::uint64_t started() const;
  /// Of the run; Gaur enforces it.
  std::optional<Duration> timeout() const;

  /// The data as it was added, byte for byte.
  std::string_view data() const;
  /// The value at a dotted path of the data ("params.region"; array elements have no path) as JSON text,
  /// unchanged, numbers with all digits. "": no such member.
  std::string json(std::string_view path) const;
  // The value at a dotted path; nothing if there is none, or one of another type.
  std::optional<std::string> text(std::string_view path) const;
  /// 3.0 counts as an integer.
  std::optional<std::int64_t> integer(std::string_view path) const;
  std::optional<double> number(std::string_view path) const;
  std::optional<bool> flag(std::string_view path) const;

 private:
  friend class runner_sdk::Session;
  explicit JobView(std::shared_ptr<const runner_sdk::JobData> data) : data_(std::move(data)) {}

  std::shared_ptr<const runner_sdk::JobData> data_;
};

/// The interface of a run for its handler. Thread-safety: any thread, until the handler returns.
class RunContext {
 public:
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  /// Granted to this run, at least 1.
  std::uint32_t threads() const;
  /// Granted to this run; 0: not limited.
  std::uint64_t memory_bytes() const;
  /// Scratch and result files of this runner; emptied and removed by Gaur.
  const std::filesystem::path& tmp_folder() const;
  const std::filesystem::path& out_folder() const;

  /// True once the run must end: it was cancelled, exceeded its timeout, or the runner is stopped. The
  /// handler should then return; its answer is ignored. If it does not, its process receives SIGTERM, then
  /// SIGKILL.
  bool cancelled() const;
  /// The reason: "cancelled by ana: too slow". "" if not cancelled.
  std::string cancel_message() const;
  /// The same for std::jthread and std::condition_variable_any.
  std::stop_token stop_token() const;
  /// Waits for `time`. Returns false at once when the run is cancelled.
  bool wait(Duration time) const;

  /// Progress as JSON text. At most 20 updates a second are sent; newer ones replace those that wait. Ignored
  /// if it is not JSON.
  void progress(std::string_view json);
  /// Adds a line to the job's log; truncated to 16 KiB.
  void log(std::string_view line);

 private:
  friend class runner_sdk::Session;
  explicit RunContext(runner_sdk::Session& session) : session_(session) {}

  runner_sdk::Session& session_;
};

/// How a run ends.
namespace answer {
/// A file that the handler wrote into out_folder().
struct File {
  /// Without a folder.
  std::string name;
  /// "csv", "parquet" ...
  std::string format;
  std::uint64_t rows = 0;
};
struct Completed {
  /// JSON text, at most 1 MiB; an object if there is a file.
  std::string result = "null";
  std::optional<File> file{};
};
struct Failed {
  std::string message;
  std::string code = "error";
  /// No further attempt can succeed.
  bool final = false;
  /// JSON object, at most 64 KiB.
  std::string details = "{}";
};
/// Runs the job again after `delay`; not counted as an attempt.
struct Snooze {
  Duration delay{0};
  std::string why{};
};
}  // namespace answer
using RunAnswer = std::variant<answer::Completed, answer::Failed, answer::Snooze>;

/// An exception is a failed attempt with the message of the std::exception; std::bad_alloc has code
/// "out_of_memory".
using RunFunction = std::function<RunAnswer(const JobView&, RunContext&)>;

struct RunnerProgram {
  /// Shown in Gaur's log.
  std::string name = "a runner in C++";
  /// At least one.
  std::map<std::string, RunFunction> functions;
};

/// Runs jobs one after the other on the calling thread until Gaur stops the runner or exits. A second thread
/// reads frames, so that a run can be cancelled. Freed memory is returned to the system after each job. Reads
/// the environment that docs/reference/runner-protocol.md describes. Returns the exit code for main(): 0
/// after a stop, 1 if no valid frames were received, 2 if this process was not started by Gaur (with a
/// message on stderr). Called once per process.
int run_runner(const RunnerProgram& program);

/// `text` as a JSON string literal with quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace gaur
