#pragma once
// Runs a host from a configuration: shared by `gaur serve` and `gaur work`. The first TERM or INT makes it
// quiet and waits for running jobs, the second stops it at once; POST /v1/host/leave is a TERM with its own
// patience.
#include "app/commands/arguments.hpp"
#include "app/host/host.hpp"

namespace gaur::app {

struct RunHostOptions {
  Role role = Role::kWorker;
  /// Print the state of the queues before the start.
  bool startup_report = false;
};

/// Returns the exit code (subcommands.hpp). Start no thread before this call: it blocks signals.
int run_host(Loaded& loaded, const RunHostOptions& options);

/// The exit codes of `gaur serve` and `gaur work`, for their help.
std::vector<ExitMeaning> host_exits();
/// Prints the problems of the configuration; returns kExitProblem.
int print_configuration_problems(const Settings& settings);
/// Prints "gaur: cannot start: ..."; returns the exit code.
int cannot_start(const Error& error);
/// Completes the configuration from the data folder and the store: the worker's name and, with
/// `discover_queues`, the queues under the prefix if none is configured.
Status complete_configuration(Loaded& loaded, bool discover_queues, const Logger& log);

}  // namespace gaur::app
