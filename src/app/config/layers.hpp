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
  std::filesystem::path folder;                   ///< the working folder
  std::optional<std::filesystem::path> file;      ///< as asked for; nothing: gaur.toml if it is there
  std::optional<std::filesystem::path> env_file;  ///< --env FILE; nothing: .env if it is there
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> flags;  ///< "--section.key=value"
};

/// Every problem is in the answer's problems(); nothing is thrown, nothing printed.
Settings load(const Layers& layers);

/// GAUR_SECTION_KEY for each key, those of the user's own names included. Unknown ones of a known section are
/// problems.
void put_variables(Settings& settings, const std::vector<Variable>& variables);
/// The names that the deployment of Bull and pm2 uses: REDIS_HOST, REDIS_PORT, REDIS_PASSWORD(_FILE),
/// BULL_QUEUE_NAME (the key prefix), BULL_COUNT or BULL_QUEUE_COUNT. A key that Gaur's own name sets in the
/// same layer is left alone.
void put_seed_names(Settings& settings, const std::vector<Variable>& variables);
/// "GAUR_QUEUES_QUERY_MAX_WAITING" for queues.query.max_waiting.
std::string variable_name(const KeyPath& path);

}  // namespace gaur::app
