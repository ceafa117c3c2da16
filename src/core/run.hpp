#pragma once
// RunHandler: the interface between a worker and what runs its jobs, handlers in this process or pools of
// runners. Thread-safety: start() and stop() on the worker's loop; RunObserver from any thread (the worker
// posts to its loop).
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/outcome.hpp"

namespace gaur {

/// The resources that a run may use. Runners receive them in GAUR_THREADS and GAUR_MEMORY and in each `run`
/// frame.
struct Grant {
  std::uint32_t threads = 1;
  /// 0: not limited.
  std::uint64_t memory_bytes = 0;
};

struct RunRequest {
  Taken taken{};
  Grant grant{};
  /// Longest run. The handler enforces it: it cancels the run, then sends SIGTERM, then SIGKILL.
  std::optional<Duration> timeout{};
};

/// How a run ended, as its handler observed it. The worker decides what follows for the job.
namespace run {
struct Completed {
  std::string result = "null";
  std::optional<ResultFileInfo> file{};
};
/// The handler reported a failure.
struct Failed {
  Failure failure{};
  /// No further attempt can succeed.
  bool final = false;
};
/// The handler asked for another run after `delay`; not counted as an attempt.
struct Snooze {
  Duration delay{0};
  std::string why{};
};
/// The run exceeded its timeout: a failed attempt, code `timeout`.
struct TimedOut {
  Duration after{0};
};
/// The run exceeded its memory limit: a failed attempt, code `memory`.
struct OutOfMemory {
  std::uint64_t bound_bytes = 0, peak_bytes = 0;
  /// The runner's last lines on stderr, or "".
  std::string output{};
};
/// The runner died during the run: the job has stalled.
struct Crashed {
  /// 0: it exited with `exit_code`.
  int signal = 0;
  int exit_code = 0;
  /// "its runner died of SIGSEGV: <its last line>".
  std::string message{};
  /// The runner's last lines on stderr, or "".
  std::string output{};
  /// 0: not limited, not measured.
  std::uint64_t bound_bytes = 0, peak_bytes = 0;
};
/// The run was killed or not started for a reason outside the job; no counter changes.
struct Interrupted {
  std::string why{};
};
struct Cancelled {
  std::string who{}, why{};
};
}  // namespace run
using RunEnd = std::variant<run::Completed, run::Failed, run::Snooze, run::TimedOut, run::OutOfMemory,
                            run::Crashed, run::Interrupted, run::Cancelled>;

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_progress(const LockToken& run, std::string json) = 0;
  virtual void on_log(const LockToken& run, std::string line) = 0;
  /// Called exactly once for each started run, as the last call for it.
  virtual void on_end(const LockToken& run, RunEnd end, Usage usage) = 0;
};

/// Why a run is stopped from outside.
enum class StopReason : std::uint8_t { kCancel, kTimeout, kLockLost, kHostStops };

class RunHandler {
 public:
  virtual ~RunHandler() = default;
  /// Starts the run; never blocks. Reports every problem, also an unknown function, with on_end().
  virtual void start(RunRequest request, RunObserver& observer) = 0;
  /// Asks a run to end. on_end() follows with Cancelled for kCancel, Interrupted for kLockLost and
  /// kHostStops. Ignores runs that have ended.
  virtual void stop(const LockToken& run, StopReason reason, std::string who, std::string why) = 0;
};

}  // namespace gaur
