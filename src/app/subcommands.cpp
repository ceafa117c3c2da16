#include "app/subcommands.hpp"

#include <array>

#include "runner/keeper.hpp"

namespace gaur::app {
namespace {

/// The keeper wants the whole command line, with its own name second.
int keeper_command(int argc, char** argv) {
  return keeper_main(argc + 1, argv - 1);
}

constexpr std::array kSubcommands{
    Subcommand{"serve", "run the server", serve_command},
    Subcommand{"work", "take and run jobs, beside or instead of other workers", work_command},
    Subcommand{"quiet", "tell the running host to take no more jobs", quiet_command},
    Subcommand{"leave", "stop the running host so that other workers can take over, and verify it",
               leave_command},
    Subcommand{"check", "print the effective configuration, where it came from, and every problem",
               check_command},
    Subcommand{"look", "look at a Bull deployment's Redis without changing anything", look_command},
    Subcommand{"shadow", "run kept jobs here and compare their results; changes nothing in Redis",
               shadow_command},
    Subcommand{"size", "measure a function: how many slots, which waits, and why", size_command},
    Subcommand{"init", "write a gaur.toml from an environment file and a pm2 file", init_command},
    Subcommand{"runner-check", "check a runner against the runner protocol", runner_check_command},
    Subcommand{"version", "print the version", version_command},
    Subcommand{"keeper", "(for gaur itself) watch over one runner", keeper_command, true},
};

}  // namespace

std::span<const Subcommand> subcommands() {
  return kSubcommands;
}

}  // namespace gaur::app
