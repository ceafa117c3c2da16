#pragma once
// Warnings about a host that runs, such as missing protection, for the log at the start, `gaur check` and
// GET /v1/host.
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

/// Each warning says what to do. `runs_jobs`: false for a producer or sweeper. `now`: for the expiry of the
/// certificate.
std::vector<std::string> host_warnings(const Config& config, bool runs_jobs, Time now);

/// A warning if the certificate of the server has expired or expires within two weeks.
std::optional<std::string> certificate_warning(const Config& config, Time now);

}  // namespace gaur::app
