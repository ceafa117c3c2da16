#pragma once
// The few lexical rules of DuckDB's SQL that Gaur needs to pass over strings, quoted names and comments.
// Thread-safety: pure functions.
#include <cstddef>
#include <string_view>

namespace gaur::duckdb {

/// Whether `c` can be inside a plain identifier.
bool is_word(char c);
/// The end of the plain word at `at`; `at` itself where there is none.
std::size_t skip_word(std::string_view sql, std::size_t at);
/// The end of what starts at `at` and hides its content: a string, a quoted name, a dollar string, a line
/// comment. `at` itself where nothing of the kind starts.
std::size_t skip_quoted(std::string_view sql, std::size_t at);
/// The end of a block comment, which may hold others.
std::size_t skip_comment(std::string_view sql, std::size_t at);
/// The length of the white space character at `at`, 0 if it is none. Beside ASCII's, DuckDB takes the byte
/// order mark and most of Unicode's spaces for a space.
std::size_t blank_length(std::string_view sql, std::size_t at);
/// The first byte from `at` that is no white space, comment or semicolon.
std::size_t skip_blank(std::string_view sql, std::size_t at);

/// Where in `sql` a position lies that DuckDB reported: it counts from a text in which each of Unicode's
/// spaces outside of quotes is one byte.
std::size_t position_in_text(std::string_view sql, std::size_t reported);

}  // namespace gaur::duckdb
