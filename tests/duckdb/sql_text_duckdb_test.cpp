// SQL texts of all forms that DuckDB accepts, with the real library: Gaur does not change them.
#include <gtest/gtest.h>

#include "runner_process.hpp"

namespace gaur::test {
namespace {

constexpr const char* kMark = "\xEF\xBB\xBF";       // byte order mark
constexpr const char* kNoBreak = "\xC2\xA0";        // no-break space
constexpr const char* kFullWidth = "\xE3\x80\x80";  // ideographic space

std::string spec_of(const std::vector<std::string>& statements, const json::Object& more = {}) {
  json::Object functions;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    json::Object function{{"sql", statements[i]}, {"result", "arrays"}, {"envelope", false}};
    for (const auto& member : more) function[member.key()] = member.value();
    functions["f" + std::to_string(i)] = function;
  }
  functions["any"] = json::Object{{"ad_hoc", true}, {"result", "arrays"}, {"envelope", false}};
  return json::serialize(json::Object{{"ad_hoc", true}, {"functions", functions}});
}

std::string result_of(const json::Object& outcome) {
  if (outcome.contains("result")) return json::serialize(outcome.at("result"));
  return json::text_or(outcome, "code", "") + ": " + json::text_or(outcome, "message", "");
}

/// As a function of the spec and as SQL of the job.
void expect_result(const std::vector<std::string>& statements, const std::string& expected) {
  RunnerProcess runner(spec_of(statements));
  for (std::size_t i = 0; i < statements.size(); ++i) {
    EXPECT_EQ(result_of(runner.call("f" + std::to_string(i))), expected) << statements[i];
    EXPECT_EQ(result_of(runner.call("any", json::Object{{"sql", statements[i]}})), expected) << statements[i];
  }
}

TEST(SqlText, CastingColumnsDoesNotChangeTheText) {
  const std::string mark = kMark;
  expect_result(
      {
          "SELECT 42::VARIANT AS v",
          "SELECT 42::VARIANT AS v;",
          "SELECT 42::VARIANT AS v; -- the end",
          "SELECT 42::VARIANT AS v -- no line break behind this",
          "SELECT 42::VARIANT AS v /* a /* nested */ comment */ ;;\n/* and */ -- one more\n",
          "-- first\rSELECT 42::VARIANT AS v;\r\n",
          "/* ; */ ; SELECT 42::VARIANT AS v",
          "WITH t AS (SELECT 42::VARIANT AS v) FROM t; -- x",
          "FROM (VALUES (42::VARIANT)) t(v) ORDER BY ALL LIMIT 1; /* ' */",
          "(SELECT 42::VARIANT AS v);--",
          mark + "SELECT 42::VARIANT AS v;",
          mark + " -- with a comment\nSELECT 42::VARIANT AS v",
          std::string("SELECT") + kNoBreak + "42::VARIANT" + kFullWidth + "AS v;",
      },
      R"([["42"]])");
  expect_result({"SELECT 'POINT(1 2)'::GEOMETRY AS g, $$a ; -- b$$ AS d, $x$ $$ $x$ AS e, '/* ' AS f; -- ; "},
                R"~([["POINT (1 2)","a ; -- b"," $$ ","/* "]])~");
}

TEST(SqlText, CastColumnsKeepOrderNamesAndParameters) {
  RunnerProcess runner(
      spec_of({"SELECT i::VARIANT AS v, i, v AS v FROM (SELECT i, [i::VARIANT] AS v FROM range($n) t(i)) "
               "ORDER BY i DESC; -- "},
              {{"envelope", true},
               {"result", "objects"},
               {"inline_bytes", 900000},
               {"params", json::Object{{"n", json::Object{{"type", "bigint"}}}}}}));
  const auto outcome = runner.call("f0", json::Object{{"n", 5000}});
  ASSERT_TRUE(outcome.contains("result")) << runner.last_line.substr(0, 400);
  const auto& rows = outcome.at("result").at("rows").as_array();
  ASSERT_EQ(rows.size(), 5000U);
  for (int i = 0; i < 5000; ++i) {
    const auto text = std::to_string(4999 - i);
    ASSERT_EQ(json::serialize(rows[static_cast<std::size_t>(i)]),
              "{\"v\":\"" + text + "\",\"i\":\"" + text + "\",\"v_1\":\"[" + text + "]\"}");
  }
  EXPECT_EQ(json::serialize(outcome.at("result").at("schema").at(0)),
            R"({"name":"v","type":"VARCHAR","json":"string"})");
}

TEST(SqlText, WritesCastColumnsToFilesOfEachFormat) {
  for (const char* format : {"csv", "ndjson", "parquet"}) {
    RunnerProcess runner(
        spec_of({"SELECT i::VARIANT AS v FROM range(3000) t(i) ORDER BY i; -- "},
                {{"envelope", true}, {"inline_bytes", 0}, {"on_large", "file"}, {"format", format}}));
    const auto outcome = runner.call("f0");
    ASSERT_TRUE(outcome.contains("file")) << runner.last_line;
    EXPECT_EQ(outcome.at("file").at("rows"), 3000);
    if (std::string(format) != "csv") continue;
    const auto text = read_file(runner.out() / std::string(outcome.at("file").at("name").as_string()));
    EXPECT_TRUE(text.starts_with("v\n0\n1\n2\n")) << text.substr(0, 20);
  }
}

TEST(SqlText, ReportsTheQuerysFailureBelowACast) {
  RunnerProcess runner(
      spec_of({"SELECT 1::VARIANT AS v,\n CAST(s AS INTEGER) AS n FROM (VALUES ('x')) t(s); -- "}));
  const auto outcome = runner.call("f0");
  EXPECT_EQ(json::text_or(outcome, "code", ""), "conversion") << runner.last_line;
  EXPECT_EQ(outcome.at("details").at("line"), 2) << runner.last_line;
  EXPECT_EQ(result_of(runner.call("any", json::Object{{"sql", "SELECT 2::VARIANT AS v"}})), R"([["2"]])")
      << "the runner continues";
}

TEST(SqlText, NamesTheKindOfRejectedSql) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1; SELECT 2", "permission: the SQL holds 2 statements, one is allowed"},
      {"SELECT ';'; /* ; */ DELETE FROM t -- ;", "permission: the SQL holds 2 statements, one is allowed"},
      {"DELETE FROM t", "permission: only SELECT and EXPLAIN can be run here, this is DELETE"},
      {"SELEC 1", "syntax: Parser error: syntax error at or near \"SELEC\""},
  };
  for (const auto& [sql, said] : cases) {
    RunnerProcess runner(spec_of({sql}));
    for (const std::string& answer :
         {result_of(runner.call("f0")), result_of(runner.call("any", json::Object{{"sql", sql}}))})
      EXPECT_TRUE(answer.starts_with(said)) << sql << " gives " << answer;
  }
}

TEST(SqlText, NamesAnInsertAfterAWith) {
  RunnerProcess runner(spec_of({"SELECT 1"}));
  const char* sql = "WITH a AS (SELECT 'UPDATE' AS x) INSERT INTO t SELECT * FROM a";
  EXPECT_EQ(result_of(runner.call("any", json::Object{{"sql", sql}})),
            "permission: only SELECT and EXPLAIN can be run here, this is INSERT");
}

TEST(SqlText, RejectsMoreThanOneStatement) {
  const std::vector<std::string> many = {"SELECT 1; SELECT 2", "SELECT 1::VARIANT;/**/SELECT 2",
                                         "SELECT 1; -- x\nSELECT 2;"};
  RunnerProcess runner(spec_of(many));
  for (std::size_t i = 0; i < many.size(); ++i) {
    EXPECT_NE(result_of(runner.call("f" + std::to_string(i))).find("permission: the SQL holds 2 statements"),
              std::string::npos)
        << runner.last_line;
  }
  for (const char* acting : {"-- x\rEXPORT DATABASE 'a' (FORMAT CSV) /*\n SELECT 1 */",
                             "\xEF\xBB\xBF"
                             "ATTACH 'x'",
                             "/* /* */ SELECT */ COPY (SELECT 1) TO 'x'"}) {
    RunnerProcess other(spec_of({acting}));
    EXPECT_TRUE(result_of(other.call("f0")).starts_with("permission: only SELECT and EXPLAIN"))
        << other.last_line;
    EXPECT_TRUE(
        result_of(other.call("any", json::Object{{"sql", acting}})).starts_with("permission: only SELECT"))
        << other.last_line;
  }
}

TEST(SqlText, PositionsCountMarksAndSpaces) {
  const std::vector<std::string> wrong = {
      std::string(kMark) + "SELECT clik", std::string("SELECT") + kNoBreak + "clik",
      std::string(kMark) + kMark + "SELECT '" + kNoBreak + "', " + kFullWidth + "clik"};
  const std::vector<int> columns = {9, 8, 16};
  RunnerProcess runner(spec_of(wrong));
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const auto outcome = runner.call("f" + std::to_string(i));
    EXPECT_EQ(outcome.at("details").at("column"), columns[i]) << runner.last_line;
  }
}

}  // namespace
}  // namespace gaur::test
