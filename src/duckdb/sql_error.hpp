#pragma once
// Converts DuckDB's errors: a short stable code by DuckDB's kind, the position as line and column.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "duckdb/handles.hpp"

namespace gaur::duckdb {

/// A parsed error of DuckDB. Thread-safety: a value.
struct SqlError {
  /// DuckDB's exception type: "Parser", "Binder", "Out of Memory"; may be empty.
  std::string kind;
  /// Without the kind before it.
  std::string message;
  /// Byte offset in the SQL that DuckDB received.
  std::optional<std::size_t> position;
  /// "a, b": similar names.
  std::string candidates;
  /// The name that was not found.
  std::string name;
};

/// Reads the text of an error, with `errors_as_json` set or not. Never fails: an unknown form becomes the
/// message.
SqlError read_sql_error(std::string_view text);

struct LineColumn {
  /// From 1.
  std::size_t line = 1;
  /// From 1, in characters.
  std::size_t column = 1;
};
LineColumn line_column(std::string_view text, std::size_t byte_offset);

/// The failure to report. `text` is the SQL as the user wrote it and `position` where in it (both may be
/// empty).
RunFailure to_failure(const SqlError& error, std::string_view user_sql,
                      std::optional<std::size_t> user_position);

/// "syntax" for "Parser" and so on: docs/reference/duckdb.md has the table.
std::string_view code_of_kind(std::string_view kind);

}  // namespace gaur::duckdb
