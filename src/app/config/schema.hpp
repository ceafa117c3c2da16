#pragma once
// The table of all configuration keys: name, type, default, description. Parsing, defaults, suggestions,
// `gaur check` and the table in docs/reference/configuration.md use it, so a new key is one row here and one
// line in config.cpp. Thread-safety: immutable.
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::app {

enum class Kind : std::uint8_t {
  kText,
  /// Text that is never shown.
  kSecret,
  /// Relative to the file that sets it, else to the working folder.
  kPath,
  /// "embedded:PATH" with a path as in kPath, or a Redis URL.
  kStoreUrl,
  /// A whole number, 0 or more.
  kWhole,
  /// Above 0.
  kNumber,
  /// true or false.
  kFlag,
  /// Stored in ms.
  kDuration,
  /// Stored in bytes.
  kSize,
  /// One of `choices`.
  kChoice,
  /// A list of text; flags and variables are split at commas.
  kTexts,
  /// A list of paths.
  kPaths,
  /// Text by names that the user chooses.
  kTextTable,
  /// Any TOML value, passed on unchanged.
  kJson,
};

/// The parts of a path are separated by dots; `*` stands for a name that the user chooses.
struct KeyRow {
  std::string_view path;
  Kind kind = Kind::kText;
  /// The default as a user would write it; "" means none.
  std::string_view fallback;
  std::string_view doc;
  /// kChoice: "fifo|backfill".
  std::string_view choices = {};
  /// "auto" is also allowed.
  bool or_auto = false;
  /// A table must contain this key.
  bool required = false;
  /// kPath: the file contains a secret, so runners with confined files never get it.
  bool names_secret = false;
};

using KeyPath = std::vector<std::string>;

std::span<const KeyRow> schema();

/// "queues.query.order". Parts with a dot, blank, = or similar are quoted like TOML keys.
std::string to_string(const KeyPath& path);
/// The inverse of to_string(). A part may be quoted: `functions."a.b".timeout`.
KeyPath parse_path(std::string_view text);
/// The end of the path at the start of `text`: the first = outside quotes, or the end of the text.
std::size_t path_end(std::string_view text);
/// The parts of a row's path.
std::vector<std::string_view> split(std::string_view path);

/// The row of exactly this path, or nullptr.
const KeyRow* find_row(const KeyPath& path);
/// Whether `path` is a table, which means that a row is below it.
bool is_table(const KeyPath& path);
/// The parts that may follow `path`, without names that the user chooses; for suggestions.
std::vector<std::string> words_below(const KeyPath& path);

/// For messages: "duration", "whole number or auto".
std::string type_name(const KeyRow& row);
/// The table of docs/reference/configuration.md, one Markdown table per section.
std::string markdown_tables();

}  // namespace gaur::app
