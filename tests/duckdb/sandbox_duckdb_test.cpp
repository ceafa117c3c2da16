// Files and statements that SQL must not access, from ad-hoc jobs and from named functions.
#include <gtest/gtest.h>

#include <fstream>

#include "runner_process.hpp"

namespace gaur::test {
namespace {

namespace fs = std::filesystem;

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* each : {"data", "server/store", "server/results/q", "server/run/sql-2/tmp"})
      fs::create_directories(root_.path() / each);
    write_file(root_.path() / "data/ok.csv", "a,b\n1,한글\n");
    for (const char* each :
         {"server/store/data.csv", "server/results/q/1.csv", "server/run/sql-2/tmp/spill.csv"}) {
      write_file(root_.path() / each, "secret\n42\n");
    }
    fs::create_symlink(root_.path() / "server/store/data.csv", root_.path() / "data/link.csv");
  }
  std::string spec() const {
    return json::serialize(json::Object{
        {"root", root_.path().string()},
        {"data", json::Array{"data"}},
        {"server_data", (root_.path() / "server").string()},
        {"ad_hoc", true},
        {"functions",
         json::Object{
             {"sql", json::Object{{"ad_hoc", true}}},
             {"count", json::Object{{"sql", "SELECT count(*) AS n FROM 'data/ok.csv'"}}},
             {"passwd", json::Object{{"sql", "SELECT * FROM read_text('/etc/passwd')"}}},
             {"settings",
              json::Object{{"sql", "SELECT current_setting('threads') AS t, getvariable('v') AS v"}}}}}});
  }
  json::Object sql(RunnerProcess& runner, const std::string& text, json::Object parameters = {}) {
    return runner.call("sql", json::Object{{"sql", text}, {"params", std::move(parameters)}});
  }
  TempFolder root_;
};

TEST_F(Sandbox, AllowsReadingOnlyData) {
  RunnerProcess runner(spec());
  EXPECT_EQ(json::text_or(sql(runner, "SELECT * FROM 'data/ok.csv'"), "type", ""), "completed")
      << runner.last_line;
  EXPECT_EQ(json::text_or(runner.call("count"), "type", ""), "completed") << runner.last_line;
  const auto root = root_.path().string();
  for (const auto& each :
       {"SELECT * FROM read_text('/etc/passwd')", "FROM '/etc/passwd'",
        "SELECT * FROM sniff_csv('/etc/passwd')", "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM read_csv('data/../server/store/data.csv')", "SELECT * FROM 'data/link.csv'",
        "SELECT * FROM query('FROM ''/etc/passwd''')", "SELECT * FROM glob('/etc/*')",
        "FROM 'https://example.invalid/x.csv'"}) {
    const auto outcome = sql(runner, each);
    EXPECT_EQ(json::text_or(outcome, "type", ""), "failed") << each << runner.last_line;
    EXPECT_EQ(runner.last_line.find("root:"), std::string::npos) << each;
    EXPECT_EQ(runner.last_line.find("secret"), std::string::npos) << each;
  }
  for (const char* place :
       {"/server/store/data.csv", "/server/results/q/1.csv", "/server/run/sql-2/tmp/spill.csv"}) {
    const auto outcome = sql(runner, "SELECT * FROM '" + root + place + "'");
    EXPECT_EQ(json::text_or(outcome, "code", ""), "permission") << place << runner.last_line;
  }
  EXPECT_EQ(json::text_or(runner.call("passwd"), "code", ""), "permission") << runner.last_line;
}

TEST_F(Sandbox, RunsOnlyOneSelectOrExplain) {
  RunnerProcess runner(spec());
  for (const auto& each :
       {"COPY (SELECT 1) TO 'data/new.csv'", "CREATE TABLE t AS SELECT 1", "CREATE MACRO m() AS 1",
        "SET VARIABLE v = 1", "SET threads = 8", "PRAGMA disable_optimizer", "CALL enable_logging()",
        "ATTACH 'data/x.db'", "INSTALL httpfs", "LOAD icu", "EXPORT DATABASE 'data/x'",
        "EXPLAIN EXPORT DATABASE 'data/x'", "EXPLAIN ANALYZE COPY (SELECT 1) TO 'data/x'",
        "SELECT 1; SELECT 2", "DETACH memory", "CREATE SECRET s (TYPE s3)", "CHECKPOINT", "BEGIN"}) {
    EXPECT_EQ(json::text_or(sql(runner, each), "code", ""), "permission") << each << runner.last_line;
  }
  for (const auto& each :
       {"SELECT 1", "EXPLAIN SELECT 1", "WITH a AS (SELECT 1) FROM a", "VALUES (1)", "DESCRIBE SELECT 1"}) {
    EXPECT_EQ(json::text_or(sql(runner, each), "type", ""), "completed") << each << runner.last_line;
  }
  for (const auto& entry : fs::directory_iterator(root_.path() / "data")) {
    const auto name = entry.path().filename();
    EXPECT_TRUE(name == "ok.csv" || name == "link.csv") << name;
  }
  EXPECT_TRUE(fs::is_empty(runner.out()));
}

TEST_F(Sandbox, IsolatesTwoJobsOfOneRunner) {
  RunnerProcess runner(spec());
  sql(runner, "SELECT 1");
  const auto instance = sql(runner, "SELECT count(*) AS n FROM duckdb_temporary_files()");
  EXPECT_EQ(instance.at("result").at("rows").at(0).at("n"), "0");
  for (const auto* each :
       {"SELECT count(*) AS n FROM duckdb_tables()", "SELECT count(*) AS n FROM duckdb_variables()",
        "SELECT count(*) AS n FROM duckdb_functions() WHERE NOT internal AND function_name <> '__gaur_rows'",
        "SELECT count(*) AS n FROM glob('"
        "*.nothing')"}) {
    const auto outcome = sql(runner, each);
    if (json::text_or(outcome, "type", "") != "completed") continue;
    EXPECT_EQ(outcome.at("result").at("rows").at(0).at("n"), "0") << each;
  }
  EXPECT_EQ(json::text_or(sql(runner, "SELECT * FROM __gaur_rows()"), "type", ""), "failed");
  const auto settings = runner.call("settings");
  EXPECT_EQ(settings.at("result").at("rows").at(0).at("v"), json::Value());
  EXPECT_EQ(std::distance(fs::directory_iterator(runner.tmp()), fs::directory_iterator()), 1)
      << "only the instance's own spill folder";
}

TEST_F(Sandbox, BindsAdHocParametersAndNamesMissingOnes) {
  RunnerProcess runner(spec());
  const std::string nasty = "x'); DROP TABLE y;--" + std::string(1, '\0') + "한글";
  const auto outcome = sql(runner, "SELECT $a AS a, $n + 1 AS n, len($l) AS l",
                           {{"a", nasty}, {"n", 41}, {"l", json::Array{"x", "y"}}});
  ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
  EXPECT_EQ(outcome.at("result").at("rows").at(0),
            json::Value(json::Object({{"a", nasty}, {"n", "42"}, {"l", "2"}})));
  EXPECT_EQ(json::text_or(sql(runner, "SELECT $gone"), "message", ""),
            "parameter gone is used by the SQL and missing in params");
}

TEST_F(Sandbox, RejectsAdHocSqlUnlessThePoolAllowsIt) {
  const auto file = root_.path() / "off.json";
  write_file(file, R"~({"functions":{"sql":{"ad_hoc":true}}})~");
  const auto finished = run_program({GAUR_DUCKDB_EXECUTABLE, "--check", file.string()});
  EXPECT_EQ(finished.code, 1);
  EXPECT_EQ(finished.output,
            "{\"path\":\"functions.sql.ad_hoc\",\"message\":\"needs ad_hoc = true of the pool as well\"}\n");
}

TEST_F(Sandbox, RejectsTheServersFolderAtTheStart) {
  const auto file = root_.path() / "wrong.json";
  write_file(file, json::serialize(
                       json::Object{{"root", root_.path().string()},
                                    {"data", json::Array{"."}},
                                    {"server_data", (root_.path() / "server").string()},
                                    {"functions", json::Object{{"f", json::Object{{"sql", "SELECT 1"}}}}}}));
  const auto finished = run_program({GAUR_DUCKDB_EXECUTABLE, "--check", file.string()});
  EXPECT_EQ(finished.code, 1);
  EXPECT_NE(finished.output.find("leads to the server's data folder"), std::string::npos) << finished.output;
}

}  // namespace
}  // namespace gaur::test
