#include "app/commands/arguments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "app/config/layers.hpp"
#include "app/subcommands.hpp"
#include "base/number_rule.hpp"
#include "base/process_protection.hpp"
#include "base/suggest.hpp"
#include "base/system_env.hpp"

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

/// "--section.key" or "--section.key=value".
bool is_configuration_flag(std::string_view word) {
  const std::size_t dot = word.find('.');
  return word.starts_with("--") && dot != std::string_view::npos && dot < word.find('=');
}

std::string footer(CommandLine::Configuration configuration, const std::vector<ExitMeaning>& exits,
                   const std::string& note) {
  std::string text = note.empty() ? "" : note + "\n";
  if (configuration == CommandLine::Configuration::kLayers) {
    text +=
        "Every key of gaur.toml is also an option, such as --server.listen 127.0.0.1:0\n"
        "(docs/reference/configuration.md lists them).\n";
  }
  text += "Exit codes:\n";
  for (const ExitMeaning& exit : exits) text += fmt::format("  {:<3} {}\n", exit.code, exit.meaning);
  text.pop_back();
  return text;
}

}  // namespace

CommandLine::CommandLine(std::string_view subcommand, const std::string& description,
                         Configuration configuration, const std::vector<ExitMeaning>& exits,
                         const std::string& note)
    : subcommand_(subcommand),
      configuration_(configuration),
      cli_(std::make_unique<CLI::App>(description, fmt::format("gaur {}", subcommand))) {
  cli_->allow_extras();  // so that a mistyped option gets a suggestion
  cli_->footer(footer(configuration, exits, note));
  if (configuration == Configuration::kNone) return;
  if (const char* variable = std::getenv("GAUR_CONFIG")) config_ = variable;
  cli_->add_option("-c,--config", config_, "Configuration file (default: gaur.toml, if it exists)");
  cli_->add_option(
      "--env", env_,
      "Environment file; variables of a Bull deployment are read too (default: .env, if it exists)");
}

CommandLine::~CommandLine() = default;

/// CLI11 reads -5 into an unsigned variable as 2^64-5.
void CommandLine::add_number(const std::string& option, std::uint64_t default_value,
                             const std::function<void(std::uint64_t)>& store, Bounds bounds,
                             const std::string& help) {
  const auto read = [=](const std::string& text) {
    const auto number = whole_number(text);
    if (!number || *number < bounds.least || *number > bounds.most)
      throw CLI::ValidationError(option, whole_number_rule(bounds.least, bounds.most, text));
    store(*number);
  };
  cli_->add_option_function<std::string>(option, read, help)
      ->type_name("UINT")
      ->default_str(std::to_string(default_value));
}

int CommandLine::reject(std::string_view message) const {
  return exit_with_error(subcommand_, fmt::format("{}; see gaur {} --help", message, subcommand_),
                         kExitUsage);
}

/// Consumes the configuration flag at `at`, and the next argument if it is the flag's value.
bool CommandLine::take_configuration_flag(const std::vector<std::string>& words, std::size_t& at,
                                          Arguments& arguments) {
  std::string flag = words[at];
  if (flag.find('=') == std::string::npos) {
    const KeyRow* row = find_row(parse_path(std::string_view(flag).substr(2)));
    const std::string* next = at + 1 < words.size() ? &words[at + 1] : nullptr;
    if (row != nullptr && row->kind == Kind::kFlag) {
      const bool given = next != nullptr && (*next == "true" || *next == "false");
      flag += given ? "=" + *next : "=true";
      at += given ? 1 : 0;
    } else if (next != nullptr && !next->starts_with("--")) {
      flag += "=" + *next;
      ++at;
    } else {
      arguments.exit = reject(fmt::format("{} needs a value", flag));
      return false;
    }
  }
  arguments.flags.push_back(std::move(flag));
  return true;
}

/// "; did you mean --grace?", from the subcommand's own options, else from the configuration's keys.
std::string CommandLine::suggestion_for(std::string_view option) const {
  const std::string_view word = option.substr(std::min(option.find_first_not_of('-'), option.size()));
  std::vector<std::string> names;
  for (const CLI::Option* known : cli_->get_options()) {
    for (const std::string& name : known->get_lnames()) names.push_back(name);
  }
  if (const auto own = nearest(word, names)) return fmt::format("; did you mean --{}?", *own);
  std::map<std::string, std::string> spelled;
  if (configuration_ == Configuration::kLayers) {
    for (const KeyRow& row : schema()) {
      std::string path(row.path);
      if (const auto star = path.find('*'); star != std::string::npos) path.replace(star, 1, "NAME");
      spelled.emplace(row.path.substr(row.path.rfind('.') + 1), path);
    }
  }
  names.clear();
  for (const auto& [name, whole] : spelled) names.push_back(name);
  auto near = nearest(word, names);
  if (!near) {  // "--prot" for "--port-file": the first words of the subcommand's own options
    std::map<std::string, std::string> words;
    for (const CLI::Option* known : cli_->get_options()) {
      for (const std::string& name : known->get_lnames()) words.emplace(name.substr(0, name.find('-')), name);
    }
    names.clear();
    for (const auto& [part, whole] : words) names.push_back(part);
    near = nearest(word, names);
    return near ? fmt::format("; did you mean --{}?", words[*near]) : "";
  }
  return fmt::format("; did you mean --{}?", spelled[*near]);
}

bool CommandLine::report_leftovers() const {
  bool after_option = false;
  bool found = false;
  for (const std::string& word : cli_->remaining()) {
    const bool option = word.size() > 1 && word.front() == '-';
    const std::string name = word.substr(0, word.find('='));
    if (option) {
      fmt::print(stderr, "gaur {}: there is no option {}{}\n", subcommand_, name, suggestion_for(name));
    } else if (!after_option) {  // after an unknown option it is most likely that option's value
      fmt::print(stderr, "gaur {}: unexpected argument \"{}\"\n", subcommand_, word);
    }
    found = true;
    after_option = option && name == word;
  }
  if (found) fmt::print(stderr, "see gaur {} --help\n", subcommand_);
  return found;
}

Arguments CommandLine::parse(int argc, char** argv) {
  Arguments arguments;
  std::vector<std::string> words(argv + 1, argv + argc);
  if (const auto end = std::ranges::find(words, "--"); command_ != nullptr && end != words.end()) {
    command_->assign(end + 1, words.end());
    words.erase(end, words.end());
  }
  std::vector<std::string> rest;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (configuration_ == Configuration::kNone || !is_configuration_flag(words[at])) {
      rest.push_back(words[at]);
    } else if (!take_configuration_flag(words, at, arguments)) {
      return arguments;
    }
  }
  for (const std::string& word : rest) {
    const CLI::Option* option = cli_->get_option_no_throw(word.substr(0, word.find('=')));
    if (option == nullptr || !word.starts_with("--") || option->get_items_expected_max() > 0) continue;
    if (word.find('=') == std::string::npos) continue;
    arguments.exit =
        reject(fmt::format("{} takes no value", option->get_name()));  // CLI11 reads any value as true
    return arguments;
  }
  std::ranges::reverse(rest);  // CLI11 reads a vector from its end
  try {
    cli_->parse(std::move(rest));
  } catch (const CLI::Success& help) {
    cli_->exit(help);
    arguments.exit = kExitOk;
    return arguments;
  } catch (const CLI::RequiredError& error) {  // a misspelled option is the likelier cause
    arguments.exit = report_leftovers() ? kExitUsage : reject(error.what());
    return arguments;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view what = error.what();
    arguments.exit =
        reject(what.ends_with(" missing") ? fmt::format("{} needs a value", what.substr(0, what.find(':')))
                                          : std::string(what));
    return arguments;
  } catch (const CLI::ParseError& error) {
    arguments.exit = reject(error.what());
    return arguments;
  }
  if (report_leftovers()) arguments.exit = kExitUsage;
  if (!config_.empty()) arguments.config = config_;
  if (!env_.empty()) arguments.env_file = env_;
  return arguments;
}

Arguments read_arguments(int argc, char** argv, const std::string& description,
                         const std::vector<ExitMeaning>& exits, const std::vector<Shorthand>& shorthands,
                         const std::vector<Switch>& switches) {
  CommandLine line(argv[0], description, CommandLine::Configuration::kLayers, exits);
  std::vector<std::string> values(shorthands.size());
  for (std::size_t i = 0; i < shorthands.size(); ++i)
    line.options().add_option(shorthands[i].option, values[i], shorthands[i].help);
  for (const Switch& one : switches) line.options().add_flag(one.option, *one.value, one.help);
  Arguments arguments = line.parse(argc, argv);
  if (arguments.exit) return arguments;
  for (std::size_t i = 0; i < shorthands.size(); ++i) {
    if (shorthands[i].value != nullptr) *shorthands[i].value = values[i];
    if (!values[i].empty() && shorthands[i].key != nullptr)
      arguments.flags.push_back(fmt::format("--{}={}", shorthands[i].key, values[i]));
  }
  return arguments;
}

Loaded load_layers(Layers layers) {
  Loaded loaded;
  loaded.begun = SystemClock().wall();
  loaded.layers = std::move(layers);
  loaded.settings = load(loaded.layers);
  loaded.config = make_config(loaded.settings, loaded.layers.folder, detect_machine(), host_name());
  return loaded;
}

Loaded load_configuration(const Arguments& arguments) {
  Loaded loaded = load_layers({.folder = std::filesystem::current_path(),
                               .file = arguments.config,
                               .env_file = arguments.env_file,
                               .environment = environment(),
                               .flags = arguments.flags});
  erase_variables(is_secret_variable);
  return loaded;
}

int exit_with_error(std::string_view subcommand, std::string_view message, int code) {
  fmt::print(stderr, "gaur {}: {}\n", subcommand, message);
  return code;
}

}  // namespace gaur::app
