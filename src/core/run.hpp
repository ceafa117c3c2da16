#pragma once
// The seam between a worker and whatever runs its jobs: handlers in this process, or pools of runners.
// Thread-safety: start() and RunControl on the worker's loop; RunObserver may be called from any thread
// (the worker posts to its loop).
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/outcome.hpp"

namespace gaur {

/// What a run may use. Runners are told (GAUR_THREADS, GAUR_MEMORY, and in each job frame).
struct Grant {
  std::uint32_t threads = 1;
  std::uint64_t memory_bytes = 0;  ///< 0: not limited
};

struct RunRequest {
  Taken taken{};
  Grant grant{};
  std::optional<Duration>
      timeout{};  ///< the run's deadline, enforced by the handler: cancel, then TERM, then KILL
};

/// How a run ended, as its handler saw it. What follows for the job is the worker's decision.
namespace run {
struct Completed {
  std::string result = "null";
};
struct Failed {  ///< the handler said so
  Failure failure{};
  bool final = false;  ///< unrecoverable: no attempt would help
};
struct Later {  ///< the handler asked to be run again after a while; not an attempt
  Duration delay{0};
  std::string why{};
};
struct TimedOut {  ///< its own deadline: a failed attempt, code `timeout`
  Duration after{0};
};
struct OutOfMemory {  ///< its own bound: a failed attempt, code `memory`
  std::uint64_t bound_bytes = 0, peak_bytes = 0;
  std::string output{};  ///< the runner's last lines on stderr, or ""
};
struct Crashed {   ///< the runner died under the job: a stall
  int signal = 0;  ///< 0: it exited with `exit_code`
  int exit_code = 0;
  std::string message{};                          ///< "its runner died of SIGSEGV: <its last line>"
  std::string output{};                           ///< the runner's last lines on stderr, or ""
  std::uint64_t bound_bytes = 0, peak_bytes = 0;  ///< 0: not limited, not measured
};
struct Interrupted {  ///< killed or never started without the job's fault: counts as nothing
  std::string why{};
};
struct Cancelled {
  std::string who{}, why{};
};
}  // namespace run
using RunEnd = std::variant<run::Completed, run::Failed, run::Later, run::TimedOut, run::OutOfMemory,
                            run::Crashed, run::Interrupted, run::Cancelled>;

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_progress(const LockToken& run, std::string json) = 0;
  virtual void on_log(const LockToken& run, std::string line) = 0;
  /// Exactly once for each started run, last of its calls.
  virtual void on_end(const LockToken& run, RunEnd end, Usage usage) = 0;
};

/// Why a run is stopped from outside.
enum class StopReason : std::uint8_t { kCancel, kTimeout, kLockLost, kHostStops };

class RunHandler {
 public:
  virtual ~RunHandler() = default;
  /// Begins the run; never blocks. Every problem, even "no such function", arrives as on_end.
  virtual void start(RunRequest request, RunObserver& observer) = 0;
  /// Asks a run to end; on_end follows (Cancelled for kCancel, Interrupted for kLockLost and kHostStops).
  /// Unknown runs are ignored: they have ended already.
  virtual void stop(const LockToken& run, StopReason reason, std::string who, std::string why) = 0;
};

}  // namespace gaur
