#include "app/subcommands.hpp"

#include <array>

namespace gaur::app {
namespace {

constexpr std::array kSubcommands{
    Subcommand{"check", "print the effective configuration, where it came from, and every problem",
               check_command},
    Subcommand{"version", "print the version", version_command},
};

}  // namespace

std::span<const Subcommand> subcommands() {
  return kSubcommands;
}

}  // namespace gaur::app
