// `gaur quiet`: the host on a data folder takes no more jobs; running jobs continue.
#include <fmt/format.h>

#include "app/commands/arguments.hpp"
#include "app/host/other_hosts.hpp"
#include "app/host/run_host.hpp"
#include "app/host/running_host.hpp"
#include "app/subcommands.hpp"
#include "http/paths.hpp"

namespace gaur::app {
namespace {

std::size_t runs_of(const json::Object& status) {
  const json::Value* runs = status.if_contains("runs");
  return runs != nullptr && runs->is_array() ? runs->as_array().size() : 0;
}

}  // namespace

int quiet_command(int argc, char** argv) {
  std::string data;
  bool resume = false;
  const Arguments arguments =
      read_arguments(argc, argv, "Makes the running host take no more jobs",
                     {{kExitOk, "the host is quiet (with --resume: takes jobs again)"},
                      {kExitProblem, "the configuration has problems, no host runs, or it did not answer"},
                      {kExitUsage, "wrong arguments"}},
                     {{"--data", nullptr, "Data folder of the host (default: server.data)", &data}},
                     {{"--resume", &resume, "Take jobs again"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  if (!data.empty()) loaded.config.data_folder = std::filesystem::absolute(data).lexically_normal();
  const auto host = find_running_host(loaded.config);
  if (!host) return exit_with_error("quiet", host.error().message, kExitProblem);
  if (!*host)
    return exit_with_error("quiet",
                           "no host runs on " + loaded.config.data_folder.string() +
                               hosts_hint(loaded.settings, loaded.config, "quiet"),
                           kExitProblem);
  const auto status = (*host)->request("POST", std::string(resume ? http::kResumePath : http::kQuietPath));
  if (!status) return exit_with_error("quiet", status.error().message, kExitProblem);
  const std::string phase = json::text_or(*status, "phase", "?");
  fmt::print("host {} (pid {}) is {}{}; {} running\n", (*host)->file().name, (*host)->file().pid, phase,
             phase == "quiet" ? " and takes no more jobs" : "", runs_of(*status));
  const bool as_requested = phase == (resume ? "running" : "quiet");
  return as_requested ? kExitOk : kExitProblem;
}

}  // namespace gaur::app
