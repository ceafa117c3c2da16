#include "app/subcommands.hpp"

#include <array>

#include "runner/keeper.hpp"

namespace gaur::app {
namespace {

/// keeper_main() expects the whole command line, with "keeper" as argv[1].
int keeper_command(int argc, char** argv) {
  return keeper_main(argc + 1, argv - 1);
}

constexpr std::array kSubcommands{
    Subcommand{"serve", "run the server", serve_command},
    Subcommand{"work", "take and run jobs, beside or instead of other workers", work_command},
    Subcommand{"quiet", "make the running host take no more jobs", quiet_command},
    Subcommand{"leave", "stop the running host so that other workers can take over, and verify it",
               leave_command},
    Subcommand{"backup", "copy an embedded store to a file, also while a host uses it", backup_command},
    Subcommand{"restore", "put a backup into a data folder", restore_command},
    Subcommand{"doctor", "check an embedded store; save what can be read of a damaged one", doctor_command},
    Subcommand{"check", "print the effective configuration, the origin of each value, and every problem",
               check_command},
    Subcommand{"look", "report the queues of a Bull deployment and their hazards; reads only", look_command},
    Subcommand{"shadow", "run kept jobs here and compare their results; writes nothing to Redis",
               shadow_command},
    Subcommand{"size", "measure a function and recommend a number of slots", size_command},
    Subcommand{"init", "write a gaur.toml from an environment file and a pm2 file", init_command},
    Subcommand{"runner-check", "check a runner against the runner protocol", runner_check_command},
    Subcommand{"version", "print the version", version_command},
    Subcommand{"keeper", "(internal) supervise one runner", keeper_command, true},
};

}  // namespace

std::span<const Subcommand> subcommands() {
  return kSubcommands;
}

}  // namespace gaur::app
