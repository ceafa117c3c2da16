// `gaur work`: a consumer beside or instead of others. It says what it finds before it takes anything.
#include <fmt/format.h>

#include "app/host/run_host.hpp"
#include "app/subcommands.hpp"

namespace gaur::app {
namespace {

/// A consumer that is told to be none, or that could run nothing, is a mistake: better no start than idle.
std::optional<std::string> why_nothing_to_do(const Config& config, bool sweep_only) {
  if (sweep_only) {
    if (config.redis) return std::nullopt;
    return "--sweep-only heals queues on a Redis store; an embedded one has no other workers";
  }
  if (config.producer_only)
    return fmt::format("{}: that is a producer, which `gaur serve` runs; a consumer needs slots",
                       config.producer_only_why);
  if (config.functions.empty()) return "there are no functions: add a [pools.NAME] and a [functions.NAME]";
  return std::nullopt;
}

}  // namespace

int work_command(int argc, char** argv) {
  bool sweep_only = false;
  const Arguments arguments = read_arguments(
      argc, argv, "Takes and runs jobs", host_exits(),
      {{"--slots", "machine.slots", "Runs side by side"},
       {"--stalled", "worker.stalled", "Active jobs whose lock is gone: on (return them), report, off"},
       {"--grace", "worker.grace", "Leave jobs that others took alone for so long after their lock was gone"},
       {"--orphan-age", "worker.orphan_age",
        "Without a lock for longer at the start: told and left; 0: none"},
       {"--data", "server.data", "Folder for runners, result files and the host's lock"},
       {"--port-file", "server.port_file", "File into which the port is written once it is bound"}},
      {{"--sweep-only", &sweep_only, "Take no jobs: return those whose lock expired, wake delayed ones"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  if (const auto why = why_nothing_to_do(loaded.config, sweep_only))
    return refuse("work", *why, kExitProblem);
  // A consumer's HTTP is for status and result files: several of them may share a machine.
  if (loaded.config.listen_is_default) loaded.config.listen = "127.0.0.1:0";
  return run_host(loaded, {.role = sweep_only ? Role::kSweeper : Role::kWorker, .startup_report = true});
}

}  // namespace gaur::app
