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
  kSecret,     ///< text that is never shown
  kPath,       ///< relative to the file that says it, else to the working folder
  kStoreUrl,   ///< "embedded:PATH", the path as in kPath, or a Redis URL
  kWhole,      ///< a whole number, 0 or more
  kNumber,     ///< above 0
  kFlag,       ///< true or false
  kDuration,   ///< held in ms
  kSize,       ///< held in bytes
  kChoice,     ///< one of `choices`
  kTexts,      ///< a list of text; in flags and variables split at commas
  kPaths,      ///< a list of paths
  kTextTable,  ///< names of the user's own, each with a text
  kJson,       ///< any TOML value, handed on as it is
};

/// A path is written with dots; `*` stands for a name of the user's own.
struct KeyRow {
  std::string_view path;
  Kind kind = Kind::kText;
  std::string_view fallback;  ///< as one would write it; "" means: none
  std::string_view doc;
  std::string_view choices = {};  ///< kChoice: "fifo|backfill"
  bool or_auto = false;           ///< takes "auto" as well
  bool required = false;          ///< whoever makes the table must say it
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
