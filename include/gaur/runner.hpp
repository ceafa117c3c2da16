#pragma once
// Functions in C++ as a runner: a program registers them by name and calls run_runner(), which speaks the
// runner protocol (docs/runner-protocol.md) on descriptors 3 and 4 until Gaur stops it. Link with
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

/// The job of a run. Data is JSON text; whoever has a JSON library of his own reads data(), the look-ups
/// serve the rest. Thread-safety: immutable; a handler's own threads may read it while the handler runs.
class JobView {
 public:
  explicit JobView(std::shared_ptr<const runner_sdk::JobData> data) : data_(std::move(data)) {}

  const std::string& id() const;
  const std::string& queue() const;
  const std::string& name() const;
  const std::string& function() const;
  std::uint32_t attempt() const;            ///< from 1
  std::uint64_t started() const;            ///< the fencing number: grows with every start of this job
  std::optional<Duration> timeout() const;  ///< of the run; Gaur enforces it

  /// The data as it was added, byte for byte.
  std::string_view data() const;
  /// What lies at a dotted path of the data ("params.region", "items.0" is none: lists are not walked), as
  /// JSON text: as it was sent, numbers with all their digits.
  /// "": nothing there.
  std::string json(std::string_view path) const;
  // The same as a value; nothing where nothing lies there, or something of another type.
  std::optional<std::string> text(std::string_view path) const;
  std::optional<std::int64_t> integer(std::string_view path) const;  ///< also written 3.0
  std::optional<double> number(std::string_view path) const;
  std::optional<bool> flag(std::string_view path) const;

 private:
  std::shared_ptr<const runner_sdk::JobData> data_;
};

/// One run, as its handler may use it. Thread-safety: any thread, until the handler returns.
class RunContext {
 public:
  explicit RunContext(runner_sdk::Session& session) : session_(session) {}
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  std::uint32_t threads() const;       ///< that this run may keep busy, at least 1
  std::uint64_t memory_bytes() const;  ///< that it may use; 0: not limited
  /// Scratch and result files of this runner; emptied and removed by Gaur.
  const std::filesystem::path& tmp_folder() const;
  const std::filesystem::path& out_folder() const;

  /// Set once the run must end: cancelled, over its deadline, or the runner is stopped. Return soon then;
  /// what is returned no longer matters. A handler that does not costs its process: SIGTERM, then SIGKILL.
  bool cancelled() const;
  /// Why: "cancelled by ana: too slow". "" before.
  std::string cancel_message() const;
  /// The same for std::jthread and std::condition_variable_any.
  std::stop_token stop_token() const;
  /// Waits, or until the run is cancelled: then false.
  bool wait(Duration time) const;

  /// How far it is, as JSON text. Sent at most 20 times a second; the newest wins. Ignored when it is no
  /// JSON.
  void progress(std::string_view json);
  /// A line for the job's log, at most 16 KiB of it.
  void log(std::string_view line);

 private:
  runner_sdk::Session& session_;
};

/// How a run ends.
namespace answer {
/// A file that the handler wrote into out_folder().
struct File {
  std::string name;    ///< plain, without a folder
  std::string format;  ///< "csv", "parquet" ...
  std::uint64_t rows = 0;
};
struct Completed {
  std::string result = "null";  ///< JSON text, at most 1 MiB; an object if there is a file
  std::optional<File> file{};
};
struct Failed {
  std::string message;
  std::string code = "error";
  bool final = false;          ///< no further attempt would help
  std::string details = "{}";  ///< JSON object, at most 64 KiB
};
struct Later {  ///< run this job again after a while; not counted as an attempt
  Duration delay{0};
  std::string why{};
};
}  // namespace answer
using RunAnswer = std::variant<answer::Completed, answer::Failed, answer::Later>;

/// What it throws becomes a failed attempt: the message of a std::exception; code "out_of_memory" for
/// std::bad_alloc.
using RunFunction = std::function<RunAnswer(const JobView&, RunContext&)>;

struct RunnerProgram {
  std::string name = "a runner in C++";          ///< shown in Gaur's log
  std::map<std::string, RunFunction> functions;  ///< at least one
};

/// Runs jobs one after the other on the calling thread, until Gaur says stop or is gone; frames are read on a
/// thread of its own, so that a cancel is heard while a handler works. Freed memory goes back to the system
/// after each job. Reads the environment that Gaur gives (docs/runner-protocol.md). Answers main()'s exit
/// code: 0 after a stop, 1 when the other side sent no frames, 2 when this process was not started by Gaur
/// (and says so on stderr). One call a process.
int run_runner(const RunnerProgram& program);

/// `text` as a JSON string literal, quotes included. Bytes that are no UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace gaur
