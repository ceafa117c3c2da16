// `gaur runner-check -- COMMAND...`: checks a runner against the runner protocol.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "app/commands/arguments.hpp"
#include "app/config/units.hpp"
#include "app/subcommands.hpp"
#include "base/json.hpp"
#include "runner/runner_check.hpp"

namespace gaur::app {
namespace {

void print_case(const RunnerCheckCase& done) {
  fmt::print("{}  {}{}{}\n", done.passed ? "ok    " : "FAILED", done.name, done.note.empty() ? "" : ": ",
             done.note);
  std::fflush(stdout);
}

/// Fills `options` from the command line. Returns an exit code if the command ends here.
std::optional<int> read_options(int argc, char** argv, RunnerCheckOptions& options) {
  CommandLine line(
      "runner-check",
      "Checks a runner against the runner protocol: gaur runner-check [OPTIONS] -- COMMAND...",
      CommandLine::Configuration::kNone,
      {{kExitOk, "every case passed"},
       {kExitProblem, "a case failed, or the runner cannot be started"},
       {kExitUsage, "wrong arguments"}},
      "Without --function the runner must have the functions `echo`, which returns its data, and `sleep`,\n"
      "which waits data.ms (docs/reference/runner-protocol.md).");
  std::string data;
  std::string timeout;
  line.options().add_option("--function", options.function,
                            "Call this function of the runner instead of echo and sleep");
  line.options().add_option("--data", data, "The job's data for --function, as JSON (default: {})");
  line.options().add_option("--timeout", timeout, "Timeout of each reply (default: 5s, with --function 60s)");
  line.take_command(&options.command);
  if (const Arguments arguments = line.parse(argc, argv); arguments.exit) return arguments.exit;
  const auto wrong = [](const std::string& what) {
    return exit_with_error("runner-check", what, kExitUsage);
  };
  if (options.command.empty())
    return wrong("needs the runner's command after --, such as: gaur runner-check -- node runner.js");
  if (!data.empty() && options.function.empty()) return wrong("--data needs --function");
  if (!data.empty()) options.data = data;
  if (const auto parsed = json::parse(options.data); !parsed)
    return wrong("--data: " + parsed.error().message);
  if (!options.function.empty()) options.patience = std::chrono::seconds(60);
  if (timeout.empty()) return std::nullopt;
  const auto patience = parse_duration(timeout);
  if (!patience) return wrong("--timeout: " + patience.error().message);
  if (patience->count() == 0) return wrong("--timeout: must be above 0");
  options.patience = *patience;
  return std::nullopt;
}

}  // namespace

int runner_check_command(int argc, char** argv) {
  RunnerCheckOptions options;
  if (const auto exit = read_options(argc, argv, options)) return *exit;
  std::string scratch = (std::filesystem::temp_directory_path() / "gaur-runner-check-XXXXXX").string();
  if (mkdtemp(scratch.data()) == nullptr)
    return exit_with_error("runner-check", fmt::format("cannot create a folder like {}", scratch),
                           kExitProblem);
  options.scratch = scratch;
  bool all = true;
  for (const RunnerCheckCase& done : check_runner(options, print_case)) all = all && done.passed;
  return all ? kExitOk : kExitProblem;
}

}  // namespace gaur::app
