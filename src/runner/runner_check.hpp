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
  std::string function;     ///< a function that completes; "": `echo` and `sleep`
  std::string data = "{}";  ///< JSON, for `function`
  std::filesystem::path keeper_program = "/proc/self/exe";
  std::filesystem::path scratch;         ///< created, and removed at the end
  std::filesystem::path working_folder;  ///< of the runner; "": this process's
  Duration start_timeout{10'000};        ///< until `ready`
  Duration patience{5'000};              ///< for each outcome
};

struct RunnerCheckCase {
  std::string name;  ///< "echo", "cancel", ...
  bool passed = false;
  std::string note;  ///< why it failed, or a remark; may be empty
};

/// Runs all cases in order and calls `on_case` after each. Stops if `ready` fails.
std::vector<RunnerCheckCase> check_runner(const RunnerCheckOptions& options,
                                          const std::function<void(const RunnerCheckCase&)>& on_case = {});

}  // namespace gaur
