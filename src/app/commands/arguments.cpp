#include "app/commands/arguments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>

#include "app/config/layers.hpp"
#include "app/subcommands.hpp"

extern char** environ;

namespace gaur::app {
namespace {

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

bool is_config_flag(const std::string& argument) {
  const std::size_t dot = argument.find('.');
  return argument.starts_with("--") && dot != std::string::npos && dot < argument.find('=');
}

}  // namespace

FileOptions::FileOptions(CLI::App& cli) : cli_(cli) {
  if (const char* variable = std::getenv("GAUR_CONFIG")) config_ = variable;
  cli.add_option("-c,--config", config_, "Configuration file (default: gaur.toml, if it is there)");
  cli.add_option("--env", env_,
                 "Environment file, the names of a Bull deployment included (default: .env, if it is there)");
}

Arguments FileOptions::parse(int argc, char** argv) {
  Arguments arguments;
  try {
    cli_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    arguments.exit = cli_.exit(error) == 0 ? kExitOk : kExitUsage;
    return arguments;
  }
  if (!config_.empty()) arguments.config = config_;
  if (!env_.empty()) arguments.env_file = env_;
  return arguments;
}

Arguments read_arguments(int argc, char** argv, const std::string& what,
                         const std::vector<Shorthand>& shorthands, const std::vector<Switch>& switches) {
  CLI::App cli(what, fmt::format("gaur {}", argv[0]));
  cli.footer(
      "Every key of gaur.toml is a flag as well: --section.key=value, such as --server.listen=127.0.0.1:0");
  cli.allow_extras();
  FileOptions files(cli);
  std::vector<std::string> values(shorthands.size());
  for (std::size_t i = 0; i < shorthands.size(); ++i)
    cli.add_option(shorthands[i].option, values[i], shorthands[i].help);
  for (const Switch& one : switches) cli.add_flag(one.option, *one.value, one.help);
  Arguments arguments = files.parse(argc, argv);
  if (arguments.exit) return arguments;
  for (const std::string& extra : cli.remaining()) {
    if (is_config_flag(extra)) {
      arguments.flags.push_back(extra);
    } else {
      fmt::print(stderr, "gaur {}: {} is no argument of it; --help tells what is\n", argv[0], extra);
      arguments.exit = kExitUsage;
    }
  }
  for (std::size_t i = 0; i < shorthands.size(); ++i) {
    if (shorthands[i].value != nullptr) *shorthands[i].value = values[i];
    if (!values[i].empty() && shorthands[i].key != nullptr)
      arguments.flags.push_back(fmt::format("--{}={}", shorthands[i].key, values[i]));
  }
  return arguments;
}

Loaded load_configuration(const Arguments& arguments) {
  const std::filesystem::path folder = std::filesystem::current_path();
  Loaded loaded;
  loaded.settings = load({.folder = folder,
                          .file = arguments.config,
                          .env_file = arguments.env_file,
                          .environment = environment(),
                          .flags = arguments.flags});
  loaded.config = make_config(loaded.settings, folder, detect_machine(), host_name());
  return loaded;
}

int refuse(std::string_view subcommand, std::string_view message, int code) {
  fmt::print(stderr, "gaur {}: {}\n", subcommand, message);
  return code;
}

}  // namespace gaur::app
