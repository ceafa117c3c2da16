#pragma once
// The layers of the configuration, put one over the other: defaults, gaur.toml, .env, the environment, flags.
// Thread-safety: pure but for reading files.
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
  /// As asked for; nothing: gaur.toml if it is there.
  std::optional<std::filesystem::path> file;
  /// --env FILE; nothing: .env if it is there.
  std::optional<std::filesystem::path> env_file;
  std::vector<std::pair<std::string, std::string>> environment;
  /// "--section.key=value".
  std::vector<std::string> flags;
};

/// Every problem is in the answer's problems(); nothing is thrown, nothing printed.
Settings load(const Layers& layers);

/// GAUR_SECTION_KEY for each key, those of the user's own names included. Unknown ones of a known section are
/// problems.
void put_variables(Settings& settings, const std::vector<Variable>& variables);
/// Puts what a Bull deployment says about its Redis over what is there (deployment.hpp). Of a Redis URL that
/// is set already only those parts change that the deployment names; a contradiction about the same server is
/// a problem. A key that Gaur's own name sets in `variables` is left alone.
void apply_deployment(Settings& settings, const std::vector<Variable>& variables);
/// "GAUR_QUEUES_QUERY_MAX_WAITING" for queues.query.max_waiting.
std::string variable_name(const KeyPath& path);

}  // namespace gaur::app
