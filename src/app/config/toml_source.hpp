#pragma once
// gaur.toml as plain values with their origins. toml_source.cpp is the only file that includes toml++.
// Thread-safety: pure.
#include <filesystem>
#include <map>
#include <vector>

#include "app/config/origin.hpp"
#include "app/config/schema.hpp"
#include "base/json.hpp"
#include "gaur/result.hpp"

namespace gaur::app {

struct TomlDocument {
  json::Object root;
  /// Of every key and table, including inline tables.
  std::map<KeyPath, Origin> origins;
  /// Values that cannot be represented exactly; `root` does not contain them.
  std::vector<Problem> problems;
};

/// `shown` is the file's name in messages. Errors: a Problem with the line of the mistake (TOML's parser
/// stops at the first syntax error).
tl::expected<TomlDocument, Problem> parse_toml(std::string_view text, const std::string& shown,
                                               const std::string& base);

}  // namespace gaur::app
