#pragma once
// The command line of every subcommand: help with exit codes, errors with suggestions, and the configuration
// that its arguments select.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config.hpp"
#include "app/config/layers.hpp"

namespace CLI {
class App;
}

namespace gaur::app {

/// An option that sets a configuration key or stores its text in `value`.
struct Shorthand {
  /// "--grace".
  const char* option;
  /// "worker.grace"; nullptr: the text is stored in `value`.
  const char* key;
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
  /// "--section.key=value".
  std::vector<std::string> flags;
  /// Help was printed or the arguments are wrong: exit with this code.
  std::optional<int> exit;
};

/// The meaning of an exit code of one subcommand, as its help prints it.
struct ExitMeaning {
  int code;
  const char* meaning;
};

/// The most jobs that an option may name.
inline constexpr std::uint64_t kMostJobs = 1'000'000;

/// The command line of one subcommand. An option's value follows "=" or is the next argument.
class CommandLine {
 public:
  /// kLayers: the subcommand reads the configuration, with the options --config, --env and --section.key.
  enum class Configuration : std::uint8_t { kNone, kLayers };

  CommandLine(std::string_view subcommand, const std::string& description, Configuration configuration,
              const std::vector<ExitMeaning>& exits, const std::string& note = "");
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// To add options before parse().
  CLI::App& options() { return *cli_; }
  /// Adds an option that takes a whole number from `least` to `most`. Its default is what `value` contains.
  /// Any other text, such as -5, is rejected by the option's name.
  template <class Number>
  void add_number(const std::string& option, Number& value, std::uint64_t least, std::uint64_t most,
                  const std::string& help) {
    add_number(
        option, value, [&value](std::uint64_t number) { value = static_cast<Number>(number); }, {least, most},
        help);
  }
  /// Stores the arguments after "--" in `command`. Without this call "--" is an error.
  void take_command(std::vector<std::string>* command) { command_ = command; }
  /// Parses the whole line. Prints help and errors, and then sets `exit`.
  Arguments parse(int argc, char** argv);

 private:
  struct Bounds {
    std::uint64_t least, most;
  };
  void add_number(const std::string& option, std::uint64_t default_value,
                  const std::function<void(std::uint64_t)>& store, Bounds bounds, const std::string& help);
  bool take_configuration_flag(const std::vector<std::string>& words, std::size_t& at, Arguments& arguments);
  int reject(std::string_view message) const;
  bool report_leftovers() const;
  std::string suggestion_for(std::string_view option) const;

  std::string subcommand_;
  Configuration configuration_;
  std::unique_ptr<CLI::App> cli_;
  std::vector<std::string>* command_ = nullptr;
  std::string config_, env_;
};

/// The command line of a subcommand with a configuration and simple options.
Arguments read_arguments(int argc, char** argv, const std::string& description,
                         const std::vector<ExitMeaning>& exits, const std::vector<Shorthand>& shorthands = {},
                         const std::vector<Switch>& switches = {});

struct Loaded {
  /// When reading began: files that changed since may have other content.
  Time begun{};
  /// What it was read from, for another load.
  Layers layers;
  Settings settings;
  Config config;
};
/// Reads the configuration from its layers.
Loaded load_layers(Layers layers);
/// All layers of this process: its working folder, environment and flags.
Loaded load_configuration(const Arguments& arguments);

/// "gaur <subcommand>: <message>" on stderr; returns `code`.
int exit_with_error(std::string_view subcommand, std::string_view message, int code);

}  // namespace gaur::app
