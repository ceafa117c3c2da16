#pragma once
// Checks of `gaur check` beyond the configuration itself: this machine, its programs and the store. A host
// also starts if they fail: a pool without its program is broken and the others run, and needs above the
// capacity are reduced to it.
#include "app/config/config.hpp"

namespace gaur::app {

/// Reports needs above the capacity of this machine.
void check_needs(Settings& settings, const Config& config);
/// Reports programs that are not on PATH or not executable, and scripts in their arguments that do not exist.
void check_commands(Settings& settings, const Config& config);
/// Checks that Redis answers, accepts the password and is supported, and that the queues are Bull's. Blocks
/// up to the connect timeout.
void check_redis_store(Settings& settings, const Config& config);

}  // namespace gaur::app
