#include "duckdb/sql_template.hpp"

#include <gtest/gtest.h>

#include <map>

namespace gaur::duckdb {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

std::string rendered(const std::string& text, const Values& values) {
  std::vector<TemplateProblem> problems;
  const auto sql = SqlTemplate::parse(text, problems);
  EXPECT_TRUE(problems.empty()) << (problems.empty() ? "" : problems[0].message);
  auto made = sql.render([&](std::string_view name) -> std::optional<std::string> {
    const auto value = values.find(name);
    return value == values.end() ? std::nullopt : std::optional(value->second);
  });
  std::string squeezed;
  for (const char c : made.text) {
    if (c != ' ' || (!squeezed.empty() && squeezed.back() != ' ')) squeezed += c;
  }
  while (squeezed.ends_with(' ')) squeezed.pop_back();
  return squeezed;
}

std::vector<std::string> problems_of(const std::string& text) {
  std::vector<TemplateProblem> problems;
  SqlTemplate::parse(text, problems);
  std::vector<std::string> messages;
  for (const auto& each : problems) messages.push_back(std::to_string(each.position) + " " + each.message);
  return messages;
}

TEST(SqlTemplate, KeepsABlockOnlyWhenItsParameterIsGiven) {
  const std::string sql = "SELECT 1 /*if a*/AND $a/*else*/OR 2/*end*/ END";
  EXPECT_EQ(rendered(sql, {{"a", "x"}}), "SELECT 1 AND $a END");
  EXPECT_EQ(rendered(sql, {}), "SELECT 1 OR 2 END");
}

TEST(SqlTemplate, NegatesComparesAndNests) {
  EXPECT_EQ(rendered("/*if !a*/none/*end*/", {}), "none");
  EXPECT_EQ(rendered("/*if !a*/none/*end*/x", {{"a", ""}}), "x");
  const std::string sql =
      "/*if order=asc*/ASC/*else*//*if order='de sc'*/DESC/*end*//*end*/ /*if order!=asc*/N/*end*/";
  EXPECT_EQ(rendered(sql, {{"order", "asc"}}), "ASC");
  EXPECT_EQ(rendered(sql, {{"order", "de sc"}}), "DESC N");
}

TEST(SqlTemplate, QuotesAnIdentifierAndKeepsTheSampleWithoutValue) {
  EXPECT_EQ(rendered("ORDER BY t./*ident by*/clicks DESC", {{"by", "a\"b"}}), "ORDER BY t.\"a\"\"b\" DESC");
  EXPECT_EQ(rendered("ORDER BY /*ident by*/\"my clicks\"", {}), "ORDER BY \"my clicks\"");
}

TEST(SqlTemplate, IgnoresDirectivesInStringsNamesAndComments) {
  for (const char* text : {"'/*if a*/'", "'it''s /*if a*/'", "e'\\'/*if a*/'", "\"/*if a*/\"", "$$/*if a*/$$",
                           "$t$ $$ /*if a*/$t$", "-- /*if a*/", "/* /*if a*/ */", "/* plain */", "$1 + $a"}) {
    EXPECT_EQ(rendered(text, {}), text);
  }
  EXPECT_EQ(rendered("'a' /*if a*/x/*end*/ 'b'", {}), "'a' 'b'");
}

TEST(SqlTemplate, ReportsEveryProblemWithItsPosition) {
  EXPECT_EQ(problems_of("/*if a*/"), std::vector<std::string>{"0 this block has no /*end*/"});
  EXPECT_EQ(problems_of("x /*end*/ /*else*/").size(), 2U);
  EXPECT_EQ(problems_of("/*if a*/ /*else*/ /*else*/ /*end*/").size(), 1U);
  EXPECT_EQ(problems_of("/*if */x/*end*/ /*if 1a*/y/*end*/").size(), 2U);
  EXPECT_EQ(problems_of("/*ident a*/ 'text'").size(), 1U);
}

TEST(LeadingWord, SkipsCommentsAndExplain) {
  const std::pair<const char*, const char*> cases[] = {{" /* a /* b */ */ -- c\n select 1", "SELECT"},
                                                       {"(SELECT 1)", "("},
                                                       {";; Copy t TO 'x'", "COPY"},
                                                       {"EXPLAIN SELECT 1", "SELECT"},
                                                       {"explain analyze EXPORT DATABASE 'x'", "EXPORT"},
                                                       {"EXPLAIN (FORMAT json) COPY t TO 'x'", "COPY"},
                                                       {"EXPLAIN (ANALYZE, FORMAT json) FROM t", "FROM"},
                                                       {"EXPLAIN (SELECT 1)", "("},
                                                       {"", ""},
                                                       {"EXPLAIN", ""},
                                                       {"'x'", "'"}};
  for (const auto& [sql, word] : cases) EXPECT_EQ(leading_word(sql), word) << sql;
}

TEST(SqlTemplate, MapsPositionsToTheTemplate) {
  std::vector<TemplateProblem> problems;
  const std::string text = "SELECT /*if a*/ alpha, /*end*/ /*ident b*/beta, gamma";
  const auto sql = SqlTemplate::parse(text, problems);
  for (const bool given : {true, false}) {
    const auto made = sql.render([&](const Condition&) { return given; },
                                 [](std::string_view) { return std::optional<std::string>("a long name"); });
    EXPECT_EQ(made.origin_of(made.text.find("gamma")), text.find("gamma"));
    EXPECT_EQ(made.origin_of(made.text.find("long")), text.find("/*ident"));
    if (given) {
      EXPECT_EQ(made.origin_of(made.text.find("alpha")), text.find("alpha"));
    }
  }
}

}  // namespace
}  // namespace gaur::duckdb
