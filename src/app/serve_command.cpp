// `gaur serve`: the server, over whatever store. With slots or BULL_COUNT 0 a producer only.
#include "app/run_host.hpp"
#include "app/subcommands.hpp"

namespace gaur::app {

int serve_command(int argc, char** argv) {
  const Arguments arguments = read_arguments(
      argc, argv, "Runs the server",
      {{"--port-file", "server.port_file", "File into which the port is written once it is bound"},
       {"--slots", "machine.slots", "Runs side by side; 0: a producer only"},
       {"--data", "server.data", "Folder for result files and the host's lock (Redis stores)"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  return run_host(loaded, {.role = loaded.config.producer_only ? Role::kProducer : Role::kWorker});
}

}  // namespace gaur::app
