#pragma once
// What an operator should know although the host runs, such as less protection than this machine could give:
// for the log at the start, `gaur check` and GET /v1/host.
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

/// Each a sentence that says what to do; empty when all is well. `runs_jobs`: false for a producer or
/// sweeper.
std::vector<std::string> host_warnings(const Config& config, bool runs_jobs);

}  // namespace gaur::app
