#pragma once
// Warnings about a host that runs, such as missing protection, for the log at the start, `gaur check` and
// GET /v1/host.
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

/// Each warning says what to do. `runs_jobs`: false for a producer or sweeper.
std::vector<std::string> host_warnings(const Config& config, bool runs_jobs);

}  // namespace gaur::app
