// `gaur work`: a consumer beside or instead of other workers. It reports the state of its queues before it
// takes the first job.
#include <fmt/format.h>

#include "app/host/run_host.hpp"
#include "app/subcommands.hpp"

namespace gaur::app {
namespace {

/// Why the configuration leaves this consumer without work. It is rejected instead of starting an idle host.
std::optional<std::string> why_no_work(const Config& config, bool sweep_only) {
  if (sweep_only) {
    if (config.redis) return std::nullopt;
    return "--sweep-only needs a Redis store; an embedded store has no other workers";
  }
  if (config.producer_only)
    return fmt::format("{}: this is a producer, which `gaur serve` runs; `gaur work` needs slots",
                       config.producer_only_why);
  if (config.functions.empty())
    return "no functions are configured; add a [pools.NAME] and a [functions.NAME]";
  return std::nullopt;
}

}  // namespace

int work_command(int argc, char** argv) {
  bool sweep_only = false;
  const Arguments arguments = read_arguments(
      argc, argv, "Takes and runs jobs", host_exits(),
      {{"--slots", "machine.slots", "Number of concurrent runs"},
       {"--stalled", "worker.stalled", "What to do with stalled jobs: on (requeue them), report, off"},
       {"--grace", "worker.grace", "How long to wait before recovering another worker's unlocked job"},
       {"--orphan-age", "worker.orphan_age",
        "Report unlocked jobs that started longer than this before the host, and leave them; 0: none"},
       {"--data", "server.data", "Folder for runners, result files and the host's lock"},
       {"--port-file", "server.port_file", "File to write the bound port to"}},
      {{"--sweep-only", &sweep_only, "Take no jobs; only recover stalled jobs and wake delayed jobs"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  if (const auto why = why_no_work(loaded.config, sweep_only))
    return exit_with_error("work", *why, kExitProblem);
  // A consumer uses HTTP for status and result files only; a free port lets several share a machine.
  if (loaded.config.listen_is_default) loaded.config.listen = "127.0.0.1:0";
  return run_host(loaded, {.role = sweep_only ? Role::kSweeper : Role::kWorker, .startup_report = true});
}

}  // namespace gaur::app
