// SQL of callers and planners cannot change the data: the SQL policy and Landlock each prevent it alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/landlock.hpp"
#include "runner_process.hpp"

namespace gaur::test {
namespace {

namespace fs = std::filesystem;

/// SELECTs that write a file; each runs twice, because enable_logging affects the next query.
const std::vector<std::string> kWriters = {
    "SELECT * FROM enable_profiling(save_location='data/new.json', format='json')",
    "SELECT * FROM enable_profiling(save_location='data/ok.txt', format='query_tree')",
    "SELECT * FROM enable_profiling(save_location='data/none/new.json', format='json')",
    "SELECT * FROM enable_logging(level='trace', storage='file', storage_path='data/log')",
    "SELECT * FROM enable_logging(level='trace', storage='file', storage_path='data/ok.csv')",
    "SELECT * FROM enable_logging(level='trace', storage='file', storage_path='/proc/none')",
    "SELECT count(*) FROM range(10), enable_logging(level='trace', storage='file', storage_path='data/log')",
    "SELECT * FROM query('SELECT * FROM enable_profiling(save_location=''data/new.json'', format=''json'')')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM "
    "enable_profiling(save_location=''data/new.json'', format=''json'')'))"};

class Fence : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_.path() / "data");
    write_file(root_.path() / "data/ok.csv", "a,b\n1,한글\n");
    write_file(root_.path() / "data/ok.txt", "kept\n");
    before_ = files();
  }
  /// Every file and folder in data, with its content.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path() / "data"))
      found[entry.path().string()] = entry.is_regular_file() ? read_file(entry.path()) : "folder";
    return found;
  }
  json::Object spec(const std::string& sandbox, json::Object functions = {}) const {
    functions["sql"] = json::Object{{"ad_hoc", true}};
    functions["planned"] = json::Object{{"plan", true}, {"plan_setup", true}};
    return {{"root", root_.path().string()},
            {"data", json::Array{"data"}},
            {"ad_hoc", true},
            {"plans", true},
            {"sandbox", sandbox},
            {"functions", std::move(functions)}};
  }
  static std::string code(RunnerProcess& runner, const std::string& function, const std::string& sql,
                          json::Array setup = {}) {
    json::Object data{{"sql", sql}};
    if (!setup.empty()) data["setup"] = std::move(setup);
    const auto outcome = runner.call(function, data);
    const auto type = json::text_or(outcome, "type", "");
    return type == "failed" ? json::text_or(outcome, "code", "") : type;
  }
  TempFolder root_;
  std::map<std::string, std::string> before_;
};

TEST_F(Fence, RejectsTableFunctionsWithSideEffectsWithoutLandlock) {
  RunnerProcess runner(json::serialize(spec("off")));
  for (const auto& sql : kWriters) {
    for (const char* function : {"sql", "planned"}) {
      EXPECT_EQ(code(runner, function, sql), "permission") << sql << runner.last_line;
      EXPECT_EQ(code(runner, function, "EXPLAIN ANALYZE " + sql), "permission") << sql << runner.last_line;
      EXPECT_EQ(code(runner, function, "SELECT 1"), "completed") << sql << runner.last_line;
    }
  }
  EXPECT_EQ(files(), before_);
}

TEST_F(Fence, LandlockAloneKeepsTheDataUnchanged) {
  ASSERT_TRUE(landlock_abi()) << landlock_abi().error().message;
  for (const auto& sql : kWriters) {  // the operator's SQL is not checked
    RunnerProcess runner(json::serialize(spec("require", {{"named", json::Object{{"sql", sql}}}})));
    for (int i = 0; i < 2; ++i) {
      if (json::text_or(runner.call("named"), "type", "") == "gone") break;  // DuckDB aborts if it cannot log
    }
    EXPECT_EQ(files(), before_) << sql;
  }
}

TEST_F(Fence, LandlockAloneRejectsStatementsThatWrite) {
  for (const std::string statement :
       {"COPY (SELECT 1) TO 'data/new.csv'", "EXPORT DATABASE 'data/export'", "ATTACH 'data/new.duckdb'",
        "COPY (SELECT 1 AS a) TO 'data/parts' (FORMAT parquet, PARTITION_BY a, WRITE_PARTITION_COLUMNS "
        "true)"}) {
    for (const std::string sandbox : {"off", "require"}) {
      auto made = spec(sandbox);
      made["setup"] = json::Array{json::Value(statement)};
      const auto file = root_.path() / "spec.json";
      write_file(file, json::serialize(made));
      const auto finished = run_program({GAUR_DUCKDB_EXECUTABLE, "--check", file.string()});
      if (sandbox == "require") {
        EXPECT_EQ(finished.code, 1) << statement;
        EXPECT_EQ(files(), before_) << statement << finished.output;
      } else {
        EXPECT_NE(files(), before_) << "without Landlock it writes: " << statement << finished.output;
        fs::remove_all(root_.path() / "data");
        SetUp();
      }
    }
  }
}

TEST_F(Fence, RejectsTableFunctionsThatAreNotListed) {
  RunnerProcess runner(json::serialize(
      spec("off", {{"all", json::Object{{"sql",
                                         "SELECT DISTINCT function_name AS n FROM duckdb_functions() "
                                         "WHERE function_type = 'table' ORDER BY 1"}}}})));
  std::set<std::string> rejected;
  const auto all = runner.call("all");
  for (const auto& row : all.at("result").at("rows").as_array()) {
    const std::string name(row.at("n").as_string());
    runner.call("sql", json::Object{{"sql", fmt::format("SELECT * FROM system.main.\"{}\"()", name)}});
    if (runner.last_line.find("cannot be called by SQL of callers") != std::string::npos)
      rejected.insert(name);
  }
  const std::set<std::string> expected = {"__gaur_foreign_rows",
                                          "__gaur_rows",
                                          "arrow_scan",
                                          "arrow_scan_dumb",
                                          "check_peg_parser",
                                          "checkpoint",
                                          "disable_logging",
                                          "disable_peg_parser",
                                          "disable_profiling",
                                          "duckdb_log_contexts",
                                          "duckdb_logs",
                                          "duckdb_secrets",
                                          "enable_logging",
                                          "enable_peg_parser",
                                          "enable_profiling",
                                          "force_checkpoint",
                                          "json_execute_serialized_sql",
                                          "query",
                                          "seq_scan",
                                          "sql_auto_complete",
                                          "truncate_duckdb_logs",
                                          "which_secret"};
  EXPECT_EQ(rejected, expected);
}

TEST_F(Fence, FindsTheFunctionInAnySpelling) {
  RunnerProcess runner(json::serialize(spec("off")));
  for (const std::string sql : {"FROM Checkpoint()",
                                "FROM \"CHECKPOINT\"()",
                                "FROM system.main.checkpoint()",
                                "SELECT (FROM checkpoint())",
                                "WITH a AS (FROM checkpoint()) FROM a",
                                "SELECT 1 WHERE EXISTS (FROM checkpoint())",
                                "FROM range(2) t(i), LATERAL (FROM checkpoint())",
                                "DESCRIBE FROM checkpoint()",
                                "SUMMARIZE FROM checkpoint()",
                                "EXPLAIN (FORMAT json) FROM checkpoint()",
                                "EXPLAIN (FROM checkpoint())",
                                "/* /* */ EXPLAIN SELECT 1 -- */ FROM checkpoint()",
                                "-- x\rFROM checkpoint()",
                                "EXPLAIN -- x\r ANALYZE FROM checkpoint()",
                                "FROM checkpoint /* x */ ()",
                                "PIVOT checkpoint() ON x IN (1)",
                                "SELECT write_log('x')",
                                "SELECT json_serialize_plan('SELECT 1')",
                                "SELECT 1 UNION ALL FROM checkpoint()",
                                "SELECT list_transform([1], lambda x: (FROM checkpoint()))"}) {
    const auto got = code(runner, "sql", sql);
    EXPECT_TRUE(got == "permission" || got == "syntax") << sql << runner.last_line;
  }
}

TEST_F(Fence, AllowsUsualQueriesOfCallers) {
  auto made = spec("require");
  made["setup"] = json::Array{"CREATE MACRO firsts(n) AS TABLE SELECT * FROM range(n)",
                              "CREATE VIEW ok AS FROM 'data/ok.csv'"};
  RunnerProcess runner(json::serialize(made));
  for (const std::string sql : {"FROM firsts(2)",
                                "FROM ok",
                                "SELECT * FROM read_csv('data/*.csv')",
                                "FROM glob('data/*')",
                                "SELECT unnest([1,2])",
                                "FROM query_table('ok')",
                                "EXPLAIN SELECT 1",
                                "EXPLAIN ANALYZE FROM ok",
                                "EXPLAIN (FORMAT json) SELECT 1",
                                "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
                                "EXPLAIN (SELECT 1)",
                                "/* a */ EXPLAIN /* b */ SELECT 1 -- c",
                                "DESCRIBE ok",
                                "SUMMARIZE ok",
                                "SHOW TABLES",
                                "PIVOT (SELECT 1 AS a, 2 AS b) ON a IN (1) USING sum(b)",
                                "SELECT 1;",
                                "VALUES (1)",
                                "TABLE ok",
                                "SELECT query FROM (SELECT 1 AS query)",
                                "SELECT count(*) FROM duckdb_settings()"}) {
    EXPECT_EQ(code(runner, "sql", sql), "completed") << sql << runner.last_line;
  }
}

TEST_F(Fence, ChecksThePlannersSetupStatements) {
  RunnerProcess runner(json::serialize(spec("off")));
  for (const std::string setup : {"CREATE TEMP TABLE t AS FROM checkpoint()",
                                  "COPY (SELECT 1) TO 'data/new.csv'",
                                  "CALL checkpoint()",
                                  "PRAGMA enable_profiling",
                                  "SET enable_profiling='json'",
                                  "ATTACH 'data/new.duckdb'",
                                  "EXPORT DATABASE 'data/x'",
                                  "CREATE PERSISTENT SECRET s (TYPE s3)",
                                  "DROP PERSISTENT SECRET s",
                                  "INSTALL httpfs",
                                  "LOAD httpfs",
                                  "CHECKPOINT",
                                  "IMPORT DATABASE 'data'",
                                  "UPDATE EXTENSIONS",
                                  "BEGIN",
                                  "DETACH memory",
                                  "CREATE TABLE t(a INT); COPY (SELECT 1) TO 'data/new.csv'",
                                  "CREATE MACRO m() AS TABLE SELECT * FROM \"enable_logging\" ()",
                                  "EXPLAIN ANALYZE COPY (SELECT 1) TO 'data/x'",
                                  "PREPARE p AS COPY (SELECT 1) TO 'data/x'",
                                  "EXECUTE p",
                                  "USE memory",
                                  "VACUUM"}) {
    EXPECT_EQ(code(runner, "planned", "SELECT 1", {json::Value(setup)}), "permission")
        << setup << runner.last_line;
  }
  EXPECT_EQ(files(), before_);
  EXPECT_EQ(
      code(runner, "planned", "SELECT m(getvariable('v')) AS n FROM t JOIN w USING (query)",
           {"CREATE TEMP TABLE t(query VARCHAR, n INT)", "INSERT INTO t VALUES ('checkpoint()', 1)",
            "CREATE OR REPLACE TEMP VIEW w AS SELECT query FROM t", "SET VARIABLE v = 2",
            "CREATE TEMP MACRO m(a) AS a + 1", "UPDATE t SET n = 2", "DELETE FROM t WHERE n = 3",
            "ALTER TABLE t ADD COLUMN o INT", "DROP TABLE IF EXISTS gone", "CREATE TYPE e AS ENUM ('a')"}),
      "completed")
      << runner.last_line;
}

TEST_F(Fence, AllowsTableFunctionsThatTheOperatorNames) {
  auto made = spec("require");
  made["table_functions"] = json::Array{"Duckdb_Logs"};
  RunnerProcess runner(json::serialize(made));
  EXPECT_EQ(code(runner, "sql", "FROM duckdb_logs()"), "completed") << runner.last_line;
  EXPECT_EQ(code(runner, "sql", "FROM duckdb_log_contexts()"), "permission");
}

TEST_F(Fence, StaysConfinedOverManyRenewals) {
  RunnerProcess runner(
      json::serialize(
          spec("require", {{"big", json::Object{{"sql", "SELECT length(repeat('x', 1500000000)) AS n"}}},
                           {"csv", json::Object{{"sql", "FROM 'data/ok.csv'"}}}})),
      {.data_limit = 1ULL << 30});
  for (int i = 0; i < 20; ++i) {  // the kernel allows 16 layers
    EXPECT_EQ(json::text_or(runner.call("big", json::Object(), {{"memory", 1 << 30}}), "code", ""),
              "out_of_memory")
        << i;
    ASSERT_EQ(json::text_or(runner.call("csv"), "type", ""), "completed") << i << runner.last_line;
  }
}

TEST_F(Fence, RequireRejectsARunnerThatCannotBeConfined) {
  for (const std::string sandbox : {"require", "prefer"}) {
    const auto file = root_.path() / "spec.json";
    write_file(file, json::serialize(spec(sandbox)));
    const auto finished =
        run_program({GAUR_DUCKDB_EXECUTABLE, "--spec", file.string()}, {{"GAUR_TMP", ""}, {"GAUR_OUT", ""}});
    EXPECT_NE(finished.output.find("not confined by Landlock: GAUR_TMP and GAUR_OUT"), std::string::npos)
        << finished.output;
    EXPECT_EQ(finished.output.find("cannot be"), std::string::npos) << finished.output;
    if (sandbox == "require") {
      EXPECT_EQ(finished.code, 1);
    }
  }
}

}  // namespace
}  // namespace gaur::test
