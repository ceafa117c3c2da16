#pragma once
// The source of a configured value, and problems of the configuration. Thread-safety: values.
#include <cstdint>
#include <string>
#include <vector>

namespace gaur::app {

struct Origin {
  enum class Kind : std::uint8_t { kDefault, kToml, kDotEnv, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  /// File, variable or flag.
  std::string name;
  /// Files only, from 1.
  std::uint32_t line = 0;
  /// TOML only, from 1.
  std::uint32_t column = 0;
  /// The folder that relative paths refer to.
  std::string base;
  bool operator==(const Origin&) const = default;
};

/// "gaur.toml:12:3", ".env:4", "GAUR_SERVER_LISTEN", "--server.listen" or "default".
std::string to_string(const Origin& origin);

struct Problem {
  Origin origin;
  /// "queues.query.order", or "" for a whole file.
  std::string key;
  /// What is wrong and what to do.
  std::string message;
};
/// "gaur.toml:12:3: queues.query.order: must be ..."
std::string to_string(const Problem& problem);

/// Sorts by file, then line; problems without a line are last.
void sort(std::vector<Problem>& problems);

}  // namespace gaur::app
