#pragma once
// What `gaur` can do, as one table. A new subcommand is one file and one row.
#include <span>
#include <string_view>

namespace gaur::app {

struct Subcommand {
  std::string_view name;
  std::string_view help;
  int (*run)(int argc, char** argv);  ///< argv[0] is the subcommand's name; answers the exit code
  bool internal = false;              ///< Gaur starts it itself: not listed in the help
};

std::span<const Subcommand> subcommands();

/// Exit codes that scripts may rely on.
inline constexpr int kExitOk = 0;
inline constexpr int kExitProblem = 1;  ///< the configuration has problems, or a check failed
inline constexpr int kExitUsage = 2;    ///< wrong arguments
inline constexpr int kExitStore = 3;    ///< the store cannot be opened: in use, newer, damaged, away, refused
inline constexpr int kExitFatal = 4;    ///< the store failed while running; a restart recovers from disk
inline constexpr int kExitInterrupted = 130;  ///< 128 + SIGINT: a signal ended a measurement

int serve_command(int argc, char** argv);
int work_command(int argc, char** argv);
int quiet_command(int argc, char** argv);
int leave_command(int argc, char** argv);
int check_command(int argc, char** argv);
int shadow_command(int argc, char** argv);
int size_command(int argc, char** argv);
int look_command(int argc, char** argv);
int init_command(int argc, char** argv);
int version_command(int argc, char** argv);
int runner_check_command(int argc, char** argv);

}  // namespace gaur::app
