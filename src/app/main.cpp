// `gaur`: finds the subcommand and leaves it everything else.
#include <fmt/format.h>

#include "app/config/suggest.hpp"
#include "app/subcommands.hpp"
#include "app/text/text_width.hpp"
#include "app/version.hpp"

namespace {

int usage(std::FILE* to, int exit_code) {
  fmt::print(to, "gaur {}: a job queue for heavy work\n\nusage: gaur SUBCOMMAND [ARGUMENT...]\n\n",
             gaur::app::kVersion);
  for (const auto& subcommand : gaur::app::subcommands()) {
    fmt::print(to, "  {}{}\n", gaur::app::padded(subcommand.name, 14), subcommand.help);
  }
  fmt::print(to, "\n`gaur SUBCOMMAND --help` tells more.\n");
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage(stderr, gaur::app::kExitUsage);
  const std::string_view asked = argv[1];
  if (asked == "--help" || asked == "-h" || asked == "help") return usage(stdout, gaur::app::kExitOk);
  const std::string_view wanted = asked == "--version" ? "version" : asked;
  std::vector<std::string> known;
  for (const auto& subcommand : gaur::app::subcommands()) {
    if (subcommand.name == wanted) return subcommand.run(argc - 1, argv + 1);
    known.emplace_back(subcommand.name);
  }
  fmt::print(stderr, "gaur: there is no subcommand \"{}\"{}\n", asked, gaur::app::did_you_mean(asked, known));
  return gaur::app::kExitUsage;
}
