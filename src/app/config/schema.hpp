#pragma once
// Every key of the configuration as one table: what it is called, what it takes, its default, what it is for.
// Parsing, defaults, suggestions, `gaur check` and the table in docs/reference/configuration.md all read it,
// so a new key is one row here and one line in config.cpp. Thread-safety: immutable.
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::app {

enum class Kind : std::uint8_t {
  kText,
  /// Text that is never shown.
  kSecret,
  /// Relative to the file that says it, else to the working folder.
  kPath,
  /// "embedded:PATH", the path as in kPath, or a Redis URL.
  kStoreUrl,
  /// A whole number, 0 or more.
  kWhole,
  /// Above 0.
  kNumber,
  /// true or false.
  kFlag,
  /// Held in ms.
  kDuration,
  /// Held in bytes.
  kSize,
  /// One of `choices`.
  kChoice,
  /// A list of text; in flags and variables split at commas.
  kTexts,
  /// A list of paths.
  kPaths,
  /// Names of the user's own, each with a text.
  kTextTable,
  /// Any TOML value, handed on as it is.
  kJson,
};

/// A path is written with dots; `*` stands for a name of the user's own.
struct KeyRow {
  std::string_view path;
  Kind kind = Kind::kText;
  /// As one would write it; "" means: none.
  std::string_view fallback;
  std::string_view doc;
  /// kChoice: "fifo|backfill".
  std::string_view choices = {};
  /// Takes "auto" as well.
  bool or_auto = false;
  /// Whoever makes the table must say it.
  bool required = false;
};

using KeyPath = std::vector<std::string>;

std::span<const KeyRow> schema();

/// "queues.query.order"; a part with a dot, a blank, an = or the like in it is quoted, as TOML quotes keys.
std::string to_string(const KeyPath& path);
/// The reverse. A part may be quoted: `functions."a.b".timeout`.
KeyPath parse_path(std::string_view text);
/// Where the path at the begin of `text` ends: at the first = that is not quoted, or at the text's end.
std::size_t path_end(std::string_view text);
/// The parts of a row's path.
std::vector<std::string_view> split(std::string_view path);

/// The row of exactly this path, or nullptr.
const KeyRow* find_row(const KeyPath& path);
/// Whether some row lies below `path`, so that it is a table.
bool is_table(const KeyPath& path);
/// The words that may stand after `path` ("" parts of the user's own are left out); for suggestions.
std::vector<std::string> words_below(const KeyPath& path);

/// "duration", "whole number or auto" and the like, for people.
std::string type_name(const KeyRow& row);
/// The table of docs/reference/configuration.md, one Markdown table a section.
std::string markdown_tables();

}  // namespace gaur::app
