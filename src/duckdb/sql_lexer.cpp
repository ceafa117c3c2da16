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

std::size_t blank_length(std::string_view sql, std::size_t at) {
  const auto lead = static_cast<unsigned char>(sql[at]);
  if (lead < 0x80) return std::isspace(lead) != 0 ? 1 : 0;
  // U+00A0; U+2000 to U+200B, U+202F, U+205F, U+2060; U+3000; U+FEFF
  const auto rest = sql.substr(at);
  if (rest.starts_with("\xC2\xA0")) return 2;
  if (rest.starts_with("\xE2\x80") && rest.size() > 2) {
    const auto last = static_cast<unsigned char>(rest[2]);
    return last <= 0x8B || last == 0xAF ? 3 : 0;
  }
  for (const std::string_view space : {"\xE2\x81\x9F", "\xE2\x81\xA0", "\xE3\x80\x80", "\xEF\xBB\xBF"}) {
    if (rest.starts_with(space)) return 3;
  }
  return 0;
}

std::size_t skip_word(std::string_view sql, std::size_t at) {
  while (at < sql.size() && is_word(sql[at]) && blank_length(sql, at) == 0) ++at;
  return at;
}

std::size_t position_in_text(std::string_view sql, std::size_t reported) {
  std::size_t at = 0;
  std::size_t shorter = 0;  // bytes that DuckDB did not count up to `at`
  while (at < sql.size() && at - shorter < reported) {
    const auto quoted = skip_quoted(sql, at);
    const auto blank = quoted > at ? 0 : blank_length(sql, at);
    if (quoted > at) {
      if (quoted - shorter > reported) break;
      at = quoted;
    } else if (blank > 1) {
      at += blank;
      shorter += blank - 1;
    } else {
      ++at;
    }
  }
  return reported + shorter;
}

std::size_t skip_blank(std::string_view sql, std::size_t at) {
  while (at < sql.size()) {
    if (sql.substr(at).starts_with("/*")) {
      at = skip_comment(sql, at);
    } else if (sql.substr(at).starts_with("--")) {
      at = skip_quoted(sql, at);
    } else if (const auto blank = blank_length(sql, at); blank != 0 || sql[at] == ';') {
      at += blank != 0 ? blank : 1;
    } else {
      break;
    }
  }
  return at;
}

}  // namespace gaur::duckdb
