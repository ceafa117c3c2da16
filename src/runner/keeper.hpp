#pragma once
// The keeper: one small process between the server and each runner. It outlives a killed server just long
// enough to kill everything below it, double-forked grandchildren included, and it tells the server how its
// runner ended. It is a mode of our own binary: `gaur keeper ...`, never started by hand.
//
// Its descriptors: 1, 2 the runner's output, 3 frames to the runner, 4 frames from it (all four only passed
// on), 5 reports to the server, 6 commands from the server; end of file there means that the server is gone.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gaur {

/// Runs the keeper; `argv[1]` is "keeper". Call it first thing in main, before threads exist or files are
/// opened. Returns the exit code of the process.
int keeper_main(int argc, char** argv);

namespace keeper {

inline constexpr int kFramesIn = 3, kFramesOut = 4, kReports = 5, kCommands = 6;

/// One command to the keeper is one byte. End of file: as kKill, then exit.
enum class Command : char {
  kTerminate = 'T',  ///< SIGTERM to the runner's process group
  kKill = 'K',       ///< SIGKILL to everything below
};

/// What the keeper tells, as it lies in memory: both ends are the same binary. Smaller than PIPE_BUF, so that
/// a report arrives whole.
struct Report {
  enum class Kind : std::uint32_t {
    kStarted =
        1,  ///< `pid` runs the command. It is not reaped, so not reused, before the server closes kCommands
    kCannotStart,  ///< `error_number` says why the command was not executed
    kEnded,        ///< all below is dead
  };
  Kind kind = Kind::kStarted;
  std::int32_t pid = 0;
  std::int32_t error_number = 0;
  std::int32_t signal = 0;  ///< that killed the runner, or 0
  std::int32_t exit_code = 0;
  std::uint32_t left = 0;           ///< processes that did not die within the keeper's patience (1 s)
  std::uint64_t cpu_us = 0;         ///< of the whole tree, over its life
  std::uint64_t max_rss_bytes = 0;  ///< highest of any one process of the tree
};

/// How the runner is to be started; travels in the keeper's argument list.
struct Launch {
  std::int32_t server_pid = 0;       ///< the keeper exits at once if its parent is another
  std::uint64_t memory_bytes = 0;    ///< soft RLIMIT_DATA of the runner; 0: not limited
  std::uint64_t open_files = 1024;   ///< RLIMIT_NOFILE of the runner
  std::string working_folder;        ///< "": the server's
  std::vector<std::string> command;  ///< looked up in PATH
};
/// {"keeper", "--server", "17", ..., "--", command...}
std::vector<std::string> to_arguments(const Launch& launch);

}  // namespace keeper
}  // namespace gaur
