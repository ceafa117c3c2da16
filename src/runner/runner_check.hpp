#pragma once
// The protocol's conformance run: does this command behave as docs/reference/runner-protocol.md asks? For any
// runner that answers the function `echo` with its data and the function `sleep` with a wait of `data.ms`,
// or, in fewer cases, with one function of its own. Behind `gaur runner-check -- COMMAND`. Thread-safety:
// pure; blocks for some seconds.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gaur/names.hpp"

namespace gaur {

struct RunnerCheckOptions {
  std::vector<std::string> command;
  std::string function;     ///< "": `echo` and `sleep`; else this one is called, and has to complete
  std::string data = "{}";  ///< JSON, for `function`
  std::filesystem::path keeper_program = "/proc/self/exe";
  std::filesystem::path scratch;         ///< a folder that may be used; removed at the end
  std::filesystem::path working_folder;  ///< of the runner; "": this process's
  Duration start_timeout{10'000};        ///< until `ready`
  Duration patience{5'000};              ///< for each answer
};

struct RunnerCheckCase {
  std::string name;  ///< "echo", "cancel", ...
  bool passed = false;
  std::string note;  ///< why it failed, or what is worth knowing though it passed; may be empty
};

/// Runs all cases in order, calling `told` after each. Stops after `ready` when that fails.
std::vector<RunnerCheckCase> check_runner(const RunnerCheckOptions& options,
                                          const std::function<void(const RunnerCheckCase&)>& told = {});

}  // namespace gaur
