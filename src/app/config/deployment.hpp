#pragma once
// What the environment of a Bull deployment says about its Redis: the one reader of REDIS_HOST, REDIS_PORT,
// REDIS_DB, REDIS_USERNAME (or REDIS_USER), REDIS_PASSWORD(_FILE), REDIS_TLS, REDIS_URL, BULL_QUEUE_NAME,
// BULL_COUNT and BULL_QUEUE_COUNT. `gaur init` writes what it returns, every other command runs on it.
// Thread-safety: pure functions.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/dotenv.hpp"
#include "redis/url.hpp"

namespace gaur::app {

/// One variable's value, and where it was read.
struct DeploymentValue {
  std::string value;
  Origin origin;
  /// For people: ".env:2 REDIS_HOST", or the variable alone.
  std::string from;
};

struct Deployment {
  /// What is said about the server, the password of REDIS_URL included; nothing: no name speaks of it.
  std::optional<redis::StoreUrl> url;
  Origin url_origin;
  /// Every variable behind `url`, joined by commas.
  std::string url_from;
  std::optional<DeploymentValue> password, password_file, prefix, count;
  /// Values that cannot be used, contradictions, unexpanded ${...}.
  std::vector<Problem> problems;
  /// Worth telling once, by `gaur init`.
  std::vector<Problem> notes;
};

/// The names that are read, in the order of docs/reference/configuration.md.
std::span<const std::string_view> deployment_names();
bool is_deployment_name(std::string_view name);

/// Of several values of one name the last counts; an empty one counts as not given, as `||` and the defaults
/// of ioredis treat it.
Deployment read_deployment(const std::vector<Variable>& variables);

}  // namespace gaur::app
