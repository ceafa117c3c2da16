// `gaur version`
#include <fmt/format.h>

#include "app/subcommands.hpp"
#include "app/version.hpp"

namespace gaur::app {

int version_command(int, char**) {
  fmt::print("gaur {}\n", kVersion);
  return kExitOk;
}

}  // namespace gaur::app
