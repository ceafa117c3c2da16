#pragma once
// Checks that a command implements the runner protocol (docs/reference/runner-protocol.md), for
// `gaur runner-check -- COMMAND`. The runner needs a function `echo` that returns its data and a function
// `sleep` that waits for `data.ms`; fewer cases run with one function of its own. Thread-safety: pure; blocks
// for some seconds.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gaur/names.hpp"

namespace gaur {

struct RunnerCheckOptions {
  std::vector<std::string> command;
  /// A function that completes; "": `echo` and `sleep`.
  std::string function;
  /// JSON, for `function`.
  std::string data = "{}";
  std::filesystem::path keeper_program = "/proc/self/exe";
  /// Created, and removed at the end.
  std::filesystem::path scratch;
  /// Of the runner; "": this process's.
  std::filesystem::path working_folder;
  /// Until `ready`.
  Duration start_timeout{10'000};
  /// For each outcome.
  Duration patience{5'000};
};

struct RunnerCheckCase {
  /// "echo", "cancel", ...
  std::string name;
  bool passed = false;
  /// Why it failed, or a remark; may be empty.
  std::string note;
};

/// Runs all cases in order and calls `on_case` after each. Stops if `ready` fails.
std::vector<RunnerCheckCase> check_runner(const RunnerCheckOptions& options,
                                          const std::function<void(const RunnerCheckCase&)>& on_case = {});

}  // namespace gaur
