#pragma once
// The layers of the configuration, put one over the other: defaults, gaur.toml, .env, the environment, flags.
// Thread-safety: pure but for reading files.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/settings.hpp"

namespace gaur::app {

struct Variable {
  std::string name, value;
  Origin origin;
};

struct Layers {
  std::filesystem::path folder;               ///< the working folder
  std::optional<std::filesystem::path> file;  ///< as asked for; nothing: gaur.toml if it is there
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> flags;  ///< "--section.key=value"
};

/// Every problem is in the answer's problems(); nothing is thrown, nothing printed.
Settings load(const Layers& layers);

/// NAME=value a line; `export`, quotes and # comments as dotenv reads them. Lines that are none of it are
/// problems.
std::vector<Variable> parse_dotenv(std::string_view text, const std::string& shown, const std::string& base,
                                   std::vector<Problem>& problems);
/// GAUR_SECTION_KEY for each key, those of the user's own names included. Unknown ones of a known section are
/// problems.
void put_variables(Settings& settings, const std::vector<Variable>& variables);
/// "GAUR_QUEUES_QUERY_MAX_WAITING" for queues.query.max_waiting.
std::string variable_name(const KeyPath& path);

}  // namespace gaur::app
