#pragma once
// The few lexical rules of DuckDB's SQL that Gaur needs to pass over strings, quoted names and comments.
// Thread-safety: pure functions.
#include <cstddef>
#include <string_view>

namespace gaur::duckdb {

/// Whether `c` can be inside a plain identifier.
bool is_word(char c);
/// The end of what starts at `at` and hides its content: a string, a quoted name, a dollar string, a line
/// comment. `at` itself where nothing of the kind starts.
std::size_t skip_quoted(std::string_view sql, std::size_t at);
/// The end of a block comment, which may hold others.
std::size_t skip_comment(std::string_view sql, std::size_t at);
/// The first byte from `at` that is no white space, comment or semicolon.
std::size_t skip_blank(std::string_view sql, std::size_t at);

}  // namespace gaur::duckdb
