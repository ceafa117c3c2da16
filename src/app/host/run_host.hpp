#pragma once
// From a configuration to a running host and its end: what `gaur serve` and `gaur work` share. One TERM or
// INT quiets it and waits for what runs, a second one stops it at once; POST /v1/host/leave is a TERM with
// its own patience.
#include "app/commands/arguments.hpp"
#include "app/host/host.hpp"

namespace gaur::app {

struct RunHostOptions {
  Role role = Role::kWorker;
  bool startup_report = false;  ///< print first what is found in the queues
};

/// Answers the exit code (subcommands.hpp). Construct no thread before: signals are blocked here.
int run_host(Loaded& loaded, const RunHostOptions& options);

/// What the exit codes of a host's subcommand mean, for its help.
std::vector<ExitMeaning> host_exits();
/// Prints what is wrong with the configuration; kExitProblem.
int print_configuration_problems(const Settings& settings);
/// "gaur: cannot start: ..." and the exit code for it.
int cannot_start(const Error& error);
/// What only the data folder and the store can tell, before they are in use: the worker's name, and for
/// those who name none (sweepers) the queues under the prefix.
Status complete_configuration(Loaded& loaded, bool discover_queues, const Logger& log);

}  // namespace gaur::app
