#pragma once
// Single values of a pm2 file, by pm2's own rules (lib/tools/Config.js and lib/Common.js of 7.0): what it
// accepts, what it makes of it, and why it accepts something else not. What pm2 does is recorded in
// tests/app/peers/pm2.json. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/init/pm2.hpp"

namespace gaur::app {

/// Reads `value` as `row`'s setting into `app`. What is not taken as it was written goes into `app.unused`.
void read_pm2_setting(Pm2App& app, std::string_view row, std::string_view written, const json::Value& value);

/// The words of one text as pm2 splits `args` and `node_args`: at blanks, but for "..." and '...'.
std::vector<std::string> pm2_words(std::string_view text);

}  // namespace gaur::app
