#pragma once
// Passwords and tokens of the configuration. Thread-safety: as Settings.
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

struct Secret {
  /// Of the file, or the one value of the key; empty if there is none.
  std::vector<std::string> lines;
  /// Where it was given; nothing: nowhere.
  std::optional<KeyPath> from;
};

/// The lines of the file that `file` names, or the text of `key`. Set in two layers, the later wins; set
/// twice in one layer is a problem, and so is a file that contains no secret.
Secret read_secret(Settings& settings, const KeyPath& key, const KeyPath& file);
/// The lines of the file that `file` names.
Secret read_secret(Settings& settings, const KeyPath& file);

/// Reads the server's token and the tables [tokens.NAME] into `config`. Problems: a token that is empty, too
/// short or used twice, a right that does not exist.
void read_tokens(Settings& settings, Config& config);

}  // namespace gaur::app
