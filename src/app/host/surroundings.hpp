#pragma once
// What `gaur check` looks at beyond the configuration itself: whether this machine, its programs and the
// store are as the configuration needs them. A start does not insist on it: a pool without its program is
// broken and the rest runs, needs above the machine are cut to it.
#include "app/config/config.hpp"

namespace gaur::app {

/// Needs that are more than the ledger may grant here, and needs of all slots together.
void check_needs(Settings& settings, const Config& config);
/// Programs that are not on PATH or cannot be run, and scripts among their arguments that are not there.
void check_commands(Settings& settings, const Config& config);
/// Redis: that it answers, takes the password, is one that Gaur works on, and that the queues are Bull's.
/// Blocks for as long as a connection may take.
void check_redis_store(Settings& settings, const Config& config);

}  // namespace gaur::app
