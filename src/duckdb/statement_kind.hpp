#pragma once
// Describes rejected SQL for the message. Thread-safety: pure functions.
#include <string>
#include <string_view>

namespace gaur::duckdb {

/// Statements in `sql`, by the semicolons outside of strings, quoted names and comments.
std::size_t count_statements(std::string_view sql);
/// Why SQL that DuckDB parses but that is not one SELECT or EXPLAIN is rejected: "the SQL holds 2 statements,
/// ..." or "..., this is INSERT"; of "WITH t AS (...) INSERT" what follows the WITH.
std::string not_one_query(std::string_view sql);

}  // namespace gaur::duckdb
