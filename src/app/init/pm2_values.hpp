#pragma once
// Reads the values of a pm2 file by the rules of pm2 7.0 (lib/tools/Config.js and lib/Common.js).
// tests/app/peers/pm2.json records what pm2 does. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/init/pm2.hpp"

namespace gaur::app {

/// Reads `value` into the member of `app` for `row`. Adds a value that is not used as written to
/// `app.unused`.
void read_pm2_setting(Pm2App& app, std::string_view row, std::string_view written, const json::Value& value);

/// Splits `args` or `node_args` like pm2: at blanks outside "..." and '...'.
std::vector<std::string> pm2_words(std::string_view text);

}  // namespace gaur::app
