// `gaur`: finds the subcommand and calls it with the remaining arguments.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "app/host/print.hpp"
#include "app/subcommands.hpp"
#include "app/text/text_width.hpp"
#include "app/version.hpp"
#include "base/suggest.hpp"

namespace {

int usage(std::FILE* to, int exit_code) {
  fmt::print(to, "gaur {}: a job queue for heavy work\n\nusage: gaur SUBCOMMAND [ARGUMENT...]\n\n",
             gaur::app::kVersion);
  for (const auto& subcommand : gaur::app::subcommands()) {
    if (subcommand.internal) continue;
    fmt::print(to, "  {}{}\n", gaur::app::padded(subcommand.name, 14), subcommand.help);
  }
  fmt::print(to,
             "\nExit codes:\n"
             "  {}  done\n  {}  the configuration has problems, or a check failed\n  {}  wrong arguments\n"
             "  {}  the store cannot be opened or reached\n  {}  the store failed while running\n"
             "\nSee gaur SUBCOMMAND --help for its options and exit codes.\n",
             gaur::app::kExitOk, gaur::app::kExitProblem, gaur::app::kExitUsage, gaur::app::kExitStore,
             gaur::app::kExitFatal);
  return exit_code;
}

int run_subcommand(int argc, char** argv) {
  if (argc < 2) return usage(stderr, gaur::app::kExitUsage);
  const std::string_view asked = argv[1];
  const bool help = asked == "help";
  if (asked == "--help" || asked == "-h" || (help && argc == 2)) return usage(stdout, gaur::app::kExitOk);
  const std::string_view wanted = help ? argv[2] : asked == "--version" ? "version" : asked;
  std::vector<std::string> known;
  for (const auto& subcommand : gaur::app::subcommands()) {
    if (subcommand.name == wanted) {
      std::string name(wanted);
      std::string option = "--help";
      std::array<char*, 3> arguments{name.data(), option.data(), nullptr};  // `gaur help NAME`
      return help ? subcommand.run(2, arguments.data()) : subcommand.run(argc - 1, argv + 1);
    }
    if (!subcommand.internal) known.emplace_back(subcommand.name);
  }
  fmt::print(stderr, "gaur: there is no subcommand \"{}\"{}\n", wanted, gaur::did_you_mean(wanted, known));
  return gaur::app::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run_subcommand(argc, argv);
    if (std::fflush(stdout) == 0) return code;
    throw std::system_error(errno, std::generic_category());
  } catch (const std::system_error& error) {  // of fmt::print
    gaur::app::print_to(stderr, "gaur: the output cannot be written: {}\n", error.code().message());
    return gaur::app::kExitProblem;
  }
}
