#pragma once
// Lexical rules of DuckDB's SQL: strings, quoted names, comments, spaces.
// Thread-safety: pure functions.
#include <cstddef>
#include <string_view>

namespace gaur::duckdb {

/// Whether `c` can be inside a plain identifier.
bool is_word(char c);
/// The end of the plain word at `at`; `at` if there is none.
std::size_t skip_word(std::string_view sql, std::size_t at);
/// The end of the string, quoted name, dollar string or line comment at `at`; `at` if there is none.
std::size_t skip_quoted(std::string_view sql, std::size_t at);
/// The end of a block comment, which may contain others.
std::size_t skip_comment(std::string_view sql, std::size_t at);
/// The length of the white space character at `at`, 0 if there is none. DuckDB also treats the byte order
/// mark and most Unicode spaces as spaces.
std::size_t blank_length(std::string_view sql, std::size_t at);
/// The first byte from `at` that is not white space, a comment or a semicolon.
std::size_t skip_blank(std::string_view sql, std::size_t at);

/// Maps a position that DuckDB reported to `sql`: DuckDB counts each Unicode space outside quotes as one
/// byte.
std::size_t position_in_text(std::string_view sql, std::size_t reported);

}  // namespace gaur::duckdb
