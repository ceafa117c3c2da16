#pragma once
// Loads the configuration from its layers, each of which overrides the previous ones: defaults, gaur.toml,
// .env, the environment, flags. Thread-safety: pure, except for reading files.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/config/dotenv.hpp"
#include "app/config/settings.hpp"

namespace gaur::app {

struct Layers {
  /// The working folder.
  std::filesystem::path folder;
  /// --config FILE; nothing: gaur.toml if it exists.
  std::optional<std::filesystem::path> file;
  /// --env FILE; nothing: .env if it exists.
  std::optional<std::filesystem::path> env_file;
  std::vector<std::pair<std::string, std::string>> environment;
  /// "--section.key=value".
  std::vector<std::string> flags;
};

/// All problems are in problems() of the result. Does not throw and prints nothing.
Settings load(const Layers& layers);

/// Applies GAUR_SECTION_KEY of each key, including keys with names that the user chose. An unknown key of a
/// known section becomes a problem.
void put_variables(Settings& settings, const std::vector<Variable>& variables);
/// Applies the Redis settings of a Bull deployment (deployment.hpp). In a Redis URL that is already set,
/// replaces only the parts that the deployment sets; contradictions about the same server become problems.
/// Keys that `variables` sets under their GAUR_ names are not changed.
void apply_deployment(Settings& settings, const std::vector<Variable>& variables);
/// "GAUR_QUEUES_QUERY_MAX_WAITING" for queues.query.max_waiting.
std::string variable_name(const KeyPath& path);
/// Whether the variable's value may contain a password or token.
bool is_secret_variable(std::string_view name);

}  // namespace gaur::app
