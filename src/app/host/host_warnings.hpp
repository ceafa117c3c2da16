#pragma once
// What runs with less protection than it could have on this machine: for the log at the start, `gaur check`
// and GET /v1/host.
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

/// Each a sentence that says what to do; empty when all is well.
std::vector<std::string> host_warnings(const Config& config);

}  // namespace gaur::app
