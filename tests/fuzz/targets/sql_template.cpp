// SQL templates. First line: the value of every parameter; then the template.
#include "duckdb/sql_template.hpp"
#include "../fuzz.hpp"
#include "duckdb/sql_lexer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::duckdb;
  const auto [value, sql] = fuzz::first_line(fuzz::text_of(data, size));
  (void)leading_word(sql);
  (void)position_in_text(sql, value.size());
  for (std::size_t at = 0; at < std::min<std::size_t>(sql.size(), 200); ++at) {
    for (const auto skip : {skip_word, skip_quoted, skip_comment, skip_blank}) {
      const std::size_t end = skip(sql, at);
      fuzz::require(end >= at && end <= sql.size(), "a token ends within the text");
    }
  }
  std::vector<TemplateProblem> problems;
  const SqlTemplate parsed = SqlTemplate::parse(std::string(sql), problems);
  for (const TemplateProblem& problem : problems)
    fuzz::require(problem.position <= sql.size(), "a problem is within the text");
  if (!problems.empty()) return 0;
  const std::string given(value);
  for (const bool has_value : {true, false}) {
    const auto text_of = [&](std::string_view) { return has_value ? std::optional(given) : std::nullopt; };
    const RenderedSql rendered = parsed.render(text_of);
    for (std::size_t at = 0; at <= rendered.text.size(); at += 1 + rendered.text.size() / 64)
      fuzz::require(rendered.origin_of(at) <= sql.size(), "every position maps into the template");
    if (parsed.identifiers().empty()) {
      fuzz::require(rendered.text.size() <= sql.size(), "a value never becomes part of the SQL");
    }
  }
  const std::string quoted = quote_identifier(given);
  fuzz::require(skip_quoted(quoted, 0) == quoted.size(), "a quoted identifier is one token");
  const std::string literal = quote_literal(given);
  fuzz::require(skip_quoted(literal, 0) == literal.size(), "a quoted literal is one token");
  return 0;
}
