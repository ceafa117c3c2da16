// `gaur serve`: the server on any store. With slots or BULL_COUNT 0 it is a producer only.
#include "app/host/run_host.hpp"
#include "app/subcommands.hpp"

namespace gaur::app {

int serve_command(int argc, char** argv) {
  const Arguments arguments = read_arguments(
      argc, argv, "Runs the server", host_exits(),
      {{"--port-file", "server.port_file", "File to write the bound port to"},
       {"--slots", "machine.slots", "Number of concurrent runs; 0: a producer only"},
       {"--data", "server.data", "Folder for result files and the host's lock (Redis stores)"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  const bool producer = loaded.config.producer_only;
  // Other workers may use the same Redis queues: report their state first, as `gaur work` does.
  return run_host(loaded, {.role = producer ? Role::kProducer : Role::kWorker,
                           .startup_report = loaded.config.redis.has_value() && !producer});
}

}  // namespace gaur::app
