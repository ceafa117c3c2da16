#pragma once
// Reads the environment variables of a Bull deployment that describe its Redis: REDIS_HOST, REDIS_PORT,
// REDIS_DB, REDIS_USERNAME (or REDIS_USER), REDIS_PASSWORD(_FILE), REDIS_TLS, REDIS_URL, BULL_QUEUE_NAME,
// BULL_COUNT and BULL_QUEUE_COUNT. `gaur init` writes the result to gaur.toml; every other command uses it.
// Thread-safety: pure functions.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/dotenv.hpp"
#include "redis/url.hpp"

namespace gaur::app {

/// The value of a variable, and its source.
struct DeploymentValue {
  std::string value;
  Origin origin;
  /// For messages: ".env:2 REDIS_HOST", or the variable alone.
  std::string from;
};

struct Deployment {
  /// Address and options of the server, including the password of REDIS_URL. Nothing if no variable sets
  /// them.
  std::optional<redis::StoreUrl> url;
  Origin url_origin;
  /// The variables that `url` was read from, joined by commas.
  std::string url_from;
  std::optional<DeploymentValue> password, password_file, prefix, count;
  /// Values that cannot be used, contradictions, unexpanded ${...}.
  std::vector<Problem> problems;
  /// Remarks that `gaur init` prints.
  std::vector<Problem> notes;
};

/// The variables that are read, in the order of docs/reference/configuration.md.
std::span<const std::string_view> deployment_names();
bool is_deployment_name(std::string_view name);

/// The last value of a name applies. An empty value counts as unset, as in JavaScript's `||` and the defaults
/// of ioredis.
Deployment read_deployment(const std::vector<Variable>& variables);

}  // namespace gaur::app
