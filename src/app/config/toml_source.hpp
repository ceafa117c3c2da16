#pragma once
// gaur.toml as plain values, with the place of each. The one file that includes toml++ is toml_source.cpp.
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
  /// Of every key and table, inline ones too.
  std::map<KeyPath, Origin> origins;
  /// Values that cannot be kept exactly; they are left out of `root`.
  std::vector<Problem> problems;
};

/// `shown` is the name used in messages. Errors: a Problem with the line of the mistake (TOML's parser stops
/// at the first syntax error).
tl::expected<TomlDocument, Problem> parse_toml(std::string_view text, const std::string& shown,
                                               const std::string& base);

}  // namespace gaur::app
