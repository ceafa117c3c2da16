#pragma once
// Shared by `gaur shadow` and `gaur size`: the check of their configuration, and reading the jobs to rerun.
#include <string>
#include <vector>

#include "app/commands/arguments.hpp"
#include "app/look/gather.hpp"

namespace gaur::app {

/// Prints every problem of the configuration on standard error; returns whether there is none.
bool print_problems_of(const Settings& settings, std::string_view command);

/// The newest completed jobs of these queues (empty: all configured queues), at most `last` of each.
/// Errors: kUnsupported without a Redis store; those of the connection.
Result<std::vector<KeptJob>> completed_jobs(const Loaded& loaded, const std::vector<std::string>& queues,
                                            std::uint32_t last);

}  // namespace gaur::app
