#include "duckdb/statement_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "duckdb/handles.hpp"
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

std::string too_many_statements(std::size_t count) {
  return fmt::format(
      "the SQL holds {} statements, one is allowed. (PIVOT without IN (...) counts as two: list its "
      "values)",
      count);
}

std::string not_one_query(const Api& api, duckdb_connection connection, const std::string& sql) {
  Owned<duckdb_extracted_statements> extracted(api.destroy_extracted);
  if (const idx_t count = api.extract_statements(connection, sql.c_str(), extracted.out()); count > 1)
    return too_many_statements(count);
  std::string word = leading_word(sql);
  if (word == "WITH") word = word_after_with(sql);
  return fmt::format("only SELECT and EXPLAIN can be run here, this is {}", word.empty() ? "nothing" : word);
}

}  // namespace gaur::duckdb
