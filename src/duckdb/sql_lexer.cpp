#include "duckdb/sql_lexer.hpp"

#include <cctype>

namespace gaur::duckdb {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

std::size_t skip_quoted(std::string_view sql, std::size_t at) {
  const auto after = [&](std::size_t found, std::size_t length) {
    return found == std::string_view::npos ? sql.size() : found + length;
  };
  if (sql.substr(at).starts_with("--")) return after(sql.find_first_of("\r\n", at), 1);
  const char c = sql[at];
  if (c == '\'' || c == '"') {
    const bool escapes = c == '\'' && at > 0 && (sql[at - 1] == 'e' || sql[at - 1] == 'E') &&
                         (at < 2 || !is_word(sql[at - 2]));
    for (std::size_t i = at + 1; i < sql.size(); ++i) {
      if (escapes && sql[i] == '\\') {
        ++i;
      } else if (sql[i] == c) {
        if (i + 1 >= sql.size() || sql[i + 1] != c) return i + 1;
        ++i;
      }
    }
    return sql.size();
  }
  if (c == '$' && (at == 0 || !is_word(sql[at - 1]))) {
    std::size_t end = at + 1;
    while (end < sql.size() && is_word(sql[end])) ++end;
    if (end < sql.size() && sql[end] == '$' &&
        (end == at + 1 || std::isdigit(static_cast<unsigned char>(sql[at + 1])) == 0)) {
      const auto tag = sql.substr(at, end + 1 - at);
      return after(sql.find(tag, end + 1), tag.size());
    }
  }
  return at;
}

std::size_t skip_comment(std::string_view sql, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i + 1 < sql.size(); ++i) {
    if (sql[i] == '/' && sql[i + 1] == '*') {
      ++depth;
      ++i;
    } else if (sql[i] == '*' && sql[i + 1] == '/') {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return sql.size();
}

std::size_t skip_blank(std::string_view sql, std::size_t at) {
  while (at < sql.size()) {
    if (sql.substr(at).starts_with("/*")) {
      at = skip_comment(sql, at);
    } else if (sql.substr(at).starts_with("--")) {
      at = skip_quoted(sql, at);
    } else if (std::isspace(static_cast<unsigned char>(sql[at])) != 0 || sql[at] == ';') {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

}  // namespace gaur::duckdb
