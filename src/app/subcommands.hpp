#pragma once
// The table of subcommands. A new subcommand is one file and one row.
#include <span>
#include <string_view>

namespace gaur::app {

struct Subcommand {
  std::string_view name;
  std::string_view help;
  /// argv[0] is the subcommand's name; returns the exit code.
  int (*run)(int argc, char** argv);
  /// Only Gaur itself starts it; the help does not list it.
  bool internal = false;
};

std::span<const Subcommand> subcommands();

/// Exit codes that scripts may rely on.
inline constexpr int kExitOk = 0;
/// The configuration has problems, or a check failed.
inline constexpr int kExitProblem = 1;
/// Wrong arguments.
inline constexpr int kExitUsage = 2;
/// The store cannot be opened: in use, newer, damaged, unreachable or not permitted.
inline constexpr int kExitStore = 3;
/// The store failed while running; a restart recovers from disk.
inline constexpr int kExitFatal = 4;
/// 128 + SIGINT: a signal ended a measurement.
inline constexpr int kExitInterrupted = 130;

int serve_command(int argc, char** argv);
int work_command(int argc, char** argv);
int quiet_command(int argc, char** argv);
int leave_command(int argc, char** argv);
int backup_command(int argc, char** argv);
int restore_command(int argc, char** argv);
int doctor_command(int argc, char** argv);
int check_command(int argc, char** argv);
int shadow_command(int argc, char** argv);
int size_command(int argc, char** argv);
int look_command(int argc, char** argv);
int init_command(int argc, char** argv);
int version_command(int argc, char** argv);
int runner_check_command(int argc, char** argv);

}  // namespace gaur::app
