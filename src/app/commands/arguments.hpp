#pragma once
// The arguments that every subcommand with a configuration takes, and the way from them to it.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace CLI {
class App;
}

namespace gaur::app {

/// An option that says what a longer `--section.key=` does as well, or that stands for itself.
struct Shorthand {
  const char* option;  ///< "--grace"
  const char* key;     ///< "worker.grace"; nullptr: the text goes into `value`
  const char* help;
  std::string* value = nullptr;
};
/// An option without a value.
struct Switch {
  const char* option;
  bool* value;
  const char* help;
};

struct Arguments {
  std::optional<std::filesystem::path> config;
  std::optional<std::filesystem::path> env_file;
  std::vector<std::string> flags;  ///< "--section.key=value", others were refused
  std::optional<int> exit;         ///< help was asked for or the arguments are wrong: leave with this code
};

/// `--config FILE` and `--env FILE`, added to a command line of any other options.
class FileOptions {
 public:
  explicit FileOptions(CLI::App& cli);
  /// Parses the whole line. Help and mistakes are printed, and `exit` is set.
  Arguments parse(int argc, char** argv);

 private:
  CLI::App& cli_;
  std::string config_, env_;
};

/// Reads `--config FILE`, `--env FILE`, the given options and any `--section.key=value`; prints help and
/// mistakes itself.
Arguments read_arguments(int argc, char** argv, const std::string& what,
                         const std::vector<Shorthand>& shorthands = {},
                         const std::vector<Switch>& switches = {});

struct Loaded {
  Settings settings;
  Config config;
};
/// All layers of this process: its working folder, environment and flags.
Loaded load_configuration(const Arguments& arguments);

/// "gaur <subcommand>: <message>" on stderr; answers the code to leave with.
int refuse(std::string_view subcommand, std::string_view message, int code);

}  // namespace gaur::app
