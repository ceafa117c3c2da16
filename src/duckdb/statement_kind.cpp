#include "duckdb/statement_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "duckdb/sql_lexer.hpp"
#include "duckdb/sql_template.hpp"

namespace gaur::duckdb {
namespace {

/// Of a statement that begins with WITH: the word after its common table expressions.
std::string word_after_with(std::string_view sql) {
  int depth = 0;
  for (std::size_t at = skip_blank(sql, 0); at < sql.size(); at = skip_blank(sql, at)) {
    const std::size_t begin = at;
    if (at = skip_quoted(sql, begin); at > begin) continue;
    at = std::max(skip_word(sql, begin), begin + 1);
    depth += sql[begin] == '(' ? 1 : sql[begin] == ')' ? -1 : 0;
    std::string word(sql.substr(begin, at - begin));
    std::ranges::transform(word, word.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (depth == 0 && (word == "INSERT" || word == "UPDATE" || word == "DELETE" || word == "MERGE"))
      return word;
  }
  return "WITH";
}

}  // namespace

std::size_t count_statements(std::string_view sql) {
  std::size_t count = 0;
  bool inside = false;
  for (std::size_t at = 0; at < sql.size();) {
    const std::size_t begin = at;
    const bool line_comment = sql.substr(at).starts_with("--");
    if (sql.substr(begin).starts_with("/*")) {
      at = skip_comment(sql, begin);
      continue;
    }
    if (at = begin + blank_length(sql, begin); at > begin) continue;
    at = std::max({skip_quoted(sql, begin), skip_word(sql, begin), begin + 1});
    if (line_comment) continue;
    const bool separator = sql[begin] == ';';
    if (!separator && !inside) ++count;
    inside = !separator;
  }
  return count;
}

std::string not_one_query(std::string_view sql) {
  if (const std::size_t count = count_statements(sql); count > 1)
    return fmt::format("the SQL holds {} statements, one is allowed", count);
  std::string word = leading_word(sql);
  if (word == "PIVOT")
    return "PIVOT without IN (...) counts as two statements, one is allowed: list its values";
  if (word == "WITH") word = word_after_with(sql);
  return fmt::format("only SELECT and EXPLAIN can be run here, this is {}", word.empty() ? "nothing" : word);
}

}  // namespace gaur::duckdb
