#pragma once
// What no single key can be blamed for: references between tables, values that must agree. Thread-safety:
// pure but for asking whether files are there.
#include "app/config/config.hpp"

namespace gaur::app {

/// Adds each problem to `settings`, at the key to change.
void check_config(Settings& settings, const Config& config);

}  // namespace gaur::app
