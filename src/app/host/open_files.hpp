#pragma once
// The number of files that this process may have open (RLIMIT_NOFILE). Thread-safety: pure system calls.
#include <optional>
#include <string>

#include "app/config/config.hpp"

namespace gaur::app {

/// Raises the soft limit to the hard limit: many shells set a soft limit of 1024, which the connections alone
/// may use up, and then no health check could connect. Runners get a limit of their own.
void raise_open_files();

/// A warning if the limit is too low for server.max_connections.
std::optional<std::string> open_files_warning(const Config& config);

}  // namespace gaur::app
