#pragma once
// What `gaur shadow` and `gaur size` share: their configuration, and the jobs that they run again.
#include <string>
#include <vector>

#include "app/commands/arguments.hpp"
#include "app/look/gather.hpp"

namespace gaur::app {

/// Every problem of the configuration on standard error; false if there is one.
bool print_problems_of(const Settings& settings, std::string_view command);

/// The newest completed jobs of these queues (none named: of all configured ones), at most `last` of each.
/// Errors: kUnsupported without a Redis store; those of the connection.
Result<std::vector<KeptJob>> completed_jobs(const Loaded& loaded, const std::vector<std::string>& queues,
                                            std::uint32_t last);

}  // namespace gaur::app
