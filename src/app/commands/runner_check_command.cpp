// `gaur runner-check -- COMMAND...`: the runner protocol's conformance run.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "app/subcommands.hpp"
#include "runner/runner_check.hpp"

namespace gaur::app {
namespace {

int usage(std::FILE* to, int code) {
  fmt::print(
      to,
      "usage: gaur runner-check -- COMMAND [ARGUMENT...]\n\nRuns the cases of docs/runner-protocol.md "
      "against "
      "a runner that answers the function `echo` with its data\nand the function `sleep` with a wait of "
      "data.ms. Exits with 0 if all pass.\n");
  return code;
}

void tell(const RunnerCheckCase& done) {
  fmt::print("{}  {}{}{}\n", done.passed ? "ok    " : "FAILED", done.name, done.note.empty() ? "" : ": ",
             done.note);
  std::fflush(stdout);
}

}  // namespace

int runner_check_command(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") return usage(stdout, kExitOk);
  if (argc < 3 || std::string_view(argv[1]) != "--") return usage(stderr, kExitUsage);
  RunnerCheckOptions options;
  options.command.assign(argv + 2, argv + argc);
  std::string scratch = (std::filesystem::temp_directory_path() / "gaur-runner-check-XXXXXX").string();
  if (mkdtemp(scratch.data()) == nullptr) {
    fmt::print(stderr, "gaur runner-check: cannot make a folder like {}\n", scratch);
    return kExitProblem;
  }
  options.scratch = scratch;
  bool all = true;
  for (const RunnerCheckCase& done : check_runner(options, tell)) all = all && done.passed;
  return all ? kExitOk : kExitProblem;
}

}  // namespace gaur::app
