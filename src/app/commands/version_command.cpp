// `gaur version`
#include <fmt/format.h>

#include "app/commands/arguments.hpp"
#include "app/subcommands.hpp"
#include "app/version.hpp"

namespace gaur::app {

int version_command(int argc, char** argv) {
  CommandLine line("version", "Prints the version", CommandLine::Configuration::kNone,
                   {{kExitOk, "printed"}, {kExitUsage, "wrong arguments"}});
  if (const Arguments arguments = line.parse(argc, argv); arguments.exit) return *arguments.exit;
  fmt::print("gaur {}\n", kVersion);
  return kExitOk;
}

}  // namespace gaur::app
