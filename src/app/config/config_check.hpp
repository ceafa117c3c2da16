#pragma once
// What no single key can be blamed for: references between tables, values that must agree. Thread-safety:
// pure but for asking whether files are there.
#include "app/config/config.hpp"

namespace gaur::app {

/// Adds each problem to `settings`, at the key to change.
void check_config(Settings& settings, const Config& config);

/// A problem where the data folder is the default one, is not there, and `folder` has a ./data of Gaur's,
/// which was the default before: a new empty store must not take its place unnoticed.
void check_former_data_folder(Settings& settings, const Config& config, const std::filesystem::path& folder);

}  // namespace gaur::app
