#pragma once
// Checks that concern several keys: references between tables, and values that must agree. Thread-safety:
// pure, except that it checks whether files exist.
#include "app/config/config.hpp"

namespace gaur::app {

/// Adds each problem to `settings`, at the key that the user must change.
void check_config(Settings& settings, const Config& config);

/// Adds a problem if the data folder is the default one and does not exist, but `folder` contains ./data, the
/// former default: otherwise Gaur would start with a new, empty store.
void check_former_data_folder(Settings& settings, const Config& config, const std::filesystem::path& folder);

}  // namespace gaur::app
