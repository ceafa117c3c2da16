#pragma once
// The keeper: a small process between the server and each runner. When the server dies, the keeper kills the
// runner's process tree, double-forked grandchildren included, and exits. It reports how its runner ended. It
// is a mode of the gaur program, `gaur keeper ...`, which only the server starts.
//
// Descriptors: 1 and 2 are the runner's output, 3 frames to the runner, 4 frames from it (inherited by the
// runner), 5 reports to the server, 6 commands from the server. End of file on 6 means that the server died.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runner/isolation.hpp"

namespace gaur {

/// Runs the keeper; `argv[1]` is "keeper". Call it first in main(), before any thread or open file. Returns
/// the exit code.
int keeper_main(int argc, char** argv);

namespace keeper {

inline constexpr int kFramesIn = 3, kFramesOut = 4, kReports = 5, kCommands = 6;

/// A command is one byte. End of file has the effect of kKill; then the keeper exits.
enum class Command : char {
  /// SIGTERM to the runner's process group.
  kTerminate = 'T',
  /// SIGKILL to the process tree.
  kKill = 'K',
  /// SIGKILL to the processes that the runner left: their parent is gone. Answered with kCleaned.
  kEndOrphans = 'O',
  /// SIGKILL to all processes but the runner. Answered with kCleaned.
  kEndOthers = 'A',
};

/// Sent as its bytes in memory, because both ends are the same binary. Smaller than PIPE_BUF, so a write is
/// atomic.
struct Report {
  enum class Kind : std::uint32_t {
    /// `pid` runs the command. The kernel does not reuse the pid before the server closes kCommands.
    kStarted = 1,
    /// `step` or exec failed with `error_number`.
    kCannotStart,
    /// The process tree is dead.
    kEnded,
    /// kEndOrphans or kEndOthers was executed; `left` processes survived it.
    kCleaned,
  };
  Kind kind = Kind::kStarted;
  std::int32_t pid = 0;
  std::int32_t error_number = 0;
  /// kNone: exec.
  IsolationStep step = IsolationStep::kNone;
  /// That killed the runner, or 0.
  std::int32_t signal = 0;
  std::int32_t exit_code = 0;
  /// Nonzero: the process tree was ended because it had so many processes and threads.
  std::uint32_t over_processes = 0;
  /// Processes that survived SIGKILL for 1 s (kCleaned: 0.5 s).
  std::uint32_t left = 0;
  /// Of the process tree, in total.
  std::uint64_t cpu_us = 0;
  /// Highest of any one process of the tree.
  std::uint64_t max_rss_bytes = 0;
};

/// How to start the runner; passed as the keeper's arguments.
struct Launch {
  /// The keeper exits if its parent is another process.
  std::int32_t server_pid = 0;
  /// Soft RLIMIT_DATA of the runner; 0: not limited.
  std::uint64_t memory_bytes = 0;
  /// RLIMIT_NOFILE of the runner.
  std::uint64_t open_files = 1024;
  /// Of the process tree, threads included; 0: not limited.
  std::uint64_t max_processes = 0;
  /// "": the server's.
  std::string working_folder;
  /// The runner's own folder.
  std::string scratch;
  /// That the runner joins; "": none.
  std::string cgroup;
  Isolation isolation;
  /// Looked up in PATH.
  std::vector<std::string> command;
};
/// {"keeper", "--server", "17", ..., "--", command...}
std::vector<std::string> to_arguments(const Launch& launch);

}  // namespace keeper
}  // namespace gaur
