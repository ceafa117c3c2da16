// Functions for their callers: errors with positions, templates, patterns, check, a missing library,
// progress.
#include <gtest/gtest.h>

#include "runner_process.hpp"

namespace gaur::test {
namespace {

std::string message_of(const json::Object& outcome) {
  return json::text_or(outcome, "code", "") + ": " + json::text_or(outcome, "message", "");
}

TEST(Functions, SqlErrorsHaveKindLineColumnAndCandidates) {
  RunnerProcess runner(R"~({"functions":{
    "syntax":{"sql":"SELECT 1 AS a,\n  FROM x x x"},
    "binder":{"sql":"SELECT keyword,\n  '한글' AS k, clik FROM (SELECT 1 AS keyword, 2 AS clicks)"},
    "catalog":{"sql":"SELECT * FROM absent"},
    "conversion":{"sql":"SELECT 1,\n CAST(s AS INTEGER) FROM (VALUES ('x')) t(s)"},
    "range":{"sql":"SELECT i::TINYINT AS i FROM range(1000) t(i)"},
    "own":{"sql":"SELECT error('so it is')"},
    "block":{"sql":"SELECT /*if a*/ 1, /*end*/\n  wrong","params":{"a":{"type":"integer"}}},
    "variant":{"sql":"SELECT 1::VARIANT AS v,\n CAST(s AS INTEGER) AS n FROM (VALUES ('x')) t(s)"}}})~");
  std::string said;
  for (const char* function :
       {"syntax", "binder", "catalog", "conversion", "range", "own", "block", "variant", "nothing"}) {
    const auto outcome = runner.call(function);
    said += std::string(function) + "\n  " + message_of(outcome) + "\n";
    EXPECT_EQ(outcome.at("final"), true);
  }
  expect_golden("sql_errors.txt", said);
}

TEST(Functions, BlocksAndIdentifiersShapeTheQuery) {
  RunnerProcess runner(R"~({"functions":{"top":{"envelope":false,"result":"arrays","params_path":"data.args",
    "sql":"SELECT k FROM (VALUES ('가', 1, 9), ('나', 2, 8), ('다', 3, 7)) t(k, a, b) WHERE 1 = 1 /*if k*/ AND k = $k /*end*/ /*if ks*/ AND k IN (SELECT unnest($ks)) /*end*/ ORDER BY /*ident by*/a /*if down=true*/ DESC /*end*/",
    "params":{"k":{},"ks":{"type":"varchar[]"},"by":{"enum":["a","b"]},"down":{"type":"boolean"}}}}})~");
  const auto rows = [&](const char* arguments) {
    const auto outcome =
        runner.call("top", *json::parse(std::string(R"~({"func":"top","args":)~") + arguments + "}"));
    return outcome.contains("result") ? json::serialize(outcome.at("result")) : message_of(outcome);
  };
  EXPECT_EQ(rows("{}"), R"~([["가"],["나"],["다"]])~");
  EXPECT_EQ(rows(R"~({"by":"b"})~"), R"~([["다"],["나"],["가"]])~");
  EXPECT_EQ(rows(R"~({"by":"b","down":true})~"), R"~([["가"],["나"],["다"]])~");
  EXPECT_EQ(rows(R"~({"k":"나"})~"), R"~([["나"]])~");
  EXPECT_EQ(rows(R"~({"ks":["다","가"],"k":null})~"), R"~([["가"],["다"]])~");
  EXPECT_EQ(rows(R"~({"ks":[]})~"), "[]");
  EXPECT_EQ(rows(R"~({"k":"x' OR '1'='1"})~"), "[]");
  EXPECT_EQ(rows(R"~({"by":"a; DROP TABLE t"})~"),
            R"~(parameter: parameter by must be one of "a", "b", got "a; DROP TABLE t")~");
}

TEST(Functions, BindsEveryParameterType) {
  RunnerProcess runner(R"~({"timezone":"Asia/Seoul","functions":{"types":{"envelope":false,"result":"arrays",
    "sql":"SELECT typeof($b), typeof($i), typeof($g), typeof($d), typeof($m), $m, typeof($v), typeof($day), $day, typeof($t), $t, typeof($z), $z, typeof($l), $l, $none IS NULL",
    "params":{"b":{"type":"boolean"},"i":{"type":"integer"},"g":{"type":"bigint"},"d":{"type":"double"},"m":{"type":"decimal(20,4)"},"v":{},"day":{"type":"date"},
              "t":{"type":"timestamp"},"z":{"type":"timestamptz"},"l":{"type":"decimal(5,1)[]"},"none":{
  "type" : "integer"
}
}
}
}
})~");
  const auto outcome = runner.call(
      "types",
      *json::parse(
          R"~({"b":true,"i":1,"g":"2","d":0.5,"m":"-1234567890123456.7891","v":"한","day":"2026-11-22","t":"2026-11-22T09:30:00.5","z":"2026-11-22T09:30:00+09:00","l":[1,"2.5"]})~"));
  ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
  EXPECT_EQ(
      json::serialize(outcome.at("result")),
      R"~([["BOOLEAN","INTEGER","BIGINT","DOUBLE","DECIMAL(20,4)","-1234567890123456.7891","VARCHAR","DATE","2026-11-22","TIMESTAMP","2026-11-22T09:30:00.5","TIMESTAMP WITH TIME ZONE","2026-11-22T00:30:00Z","DECIMAL(5,1)[]",["1.0","2.5"],true]])~");
}

TEST(Functions, MatchesPatternsWithoutBacktracking) {
  RunnerProcess runner(
      R"~({"functions":{"f":{"sql":"SELECT $code AS c","params":{"code":{"pattern":"[A-Z]{2}-\\d+"}}},"slow":{"sql":"SELECT $s AS s","params":{"s":{"pattern":"(a*)*b"}}}}})~");
  EXPECT_EQ(json::text_or(runner.call("f", json::Object{{"code", "KR-17"}}), "type", ""), "completed")
      << runner.last_line;
  EXPECT_EQ(message_of(runner.call("f", json::Object{{"code", "KR-17x"}})),
            R"~(parameter: parameter code must match the pattern [A-Z]{2}-\d+, got "KR-17x")~");
  EXPECT_EQ(json::text_or(runner.call("slow", json::Object{{"s", std::string(60000, 'a')}}), "code", ""),
            "parameter");
}

TEST(Functions, ReportsTheSessionsTimeZoneWithTheResult) {
  RunnerProcess runner(
      R"~({"timezone":"Asia/Seoul","functions":{"day":{"sql":"SELECT (TIMESTAMPTZ '2026-11-21 20:00:00+00')::DATE AS d"}}})~");
  const auto outcome = runner.call("day");
  EXPECT_EQ(outcome.at("result").at("rows").at(0).at("d"), "2026-11-22");
  EXPECT_EQ(outcome.at("result").at("timezone"), "Asia/Seoul");
}

TEST(Functions, OpensADatabaseReadOnly) {
  TempFolder folder;
  const auto db = (folder.path() / "x.db").string();
  const auto node = run_program(
      {"node", "--input-type=module", "-e",
       "import {DuckDBInstance} from '" + std::string(GAUR_TEST_FOLDER) +
           "/node/node_modules/@duckdb/node-api/lib/index.js'; const i = await DuckDBInstance.create('" + db +
           "'); const c = await i.connect(); await c.run('CREATE TABLE t AS SELECT 42 AS a'); "
           "c.closeSync(); i.closeSync();"});
  ASSERT_EQ(node.code, 0) << node.output;
  RunnerProcess runner(json::serialize(
      json::Object{{"database", db},
                   {"setup", json::Array{"CREATE TEMP VIEW v AS SELECT a FROM t"}},
                   {"functions", json::Object{{"f", json::Object{{"sql", "SELECT a FROM t"}}}}}}));
  EXPECT_EQ(runner.call("f").at("result").at("rows").at(0).at("a"), 42);
  EXPECT_FALSE(std::filesystem::exists(db + ".tmp"));
}

TEST(Functions, ProgressIncreasesAndStaysBelowAHundred) {
  TempFolder folder;
  const std::string file = (folder.path() / "big.parquet").string();
  RunnerProcess runner(json::serialize(json::Object{
      {"data", json::Array{folder.path().string()}},
      {"functions",
       json::Object{
           {"make", json::Object{{"sql", "SELECT i, 'pad ' || i AS s FROM range(2000000) t(i)"},
                                 {"on_large", "file"},
                                 {"inline_bytes", 0}}},
           {"scan",
            json::Object{
                {"sql", "SELECT sum(length(regexp_replace(repeat(s, 8), '[0-9]+', 'x', 'g'))) AS n FROM '" +
                            file + "'"}}}}}}));
  const auto made = runner.call("make");
  std::filesystem::rename(runner.out() / std::string(made.at("file").at("name").as_string()), file);
  runner.progress.clear();
  const auto outcome = runner.call("scan");
  ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
  EXPECT_GE(outcome.at("usage").at("details").at("rows_scanned").to_number<int>(), 2000000);
  EXPECT_FALSE(runner.progress.empty()) << "a scan of several seconds reports progress";
  EXPECT_TRUE(std::is_sorted(runner.progress.begin(), runner.progress.end()));
  for (const double percent : runner.progress) EXPECT_TRUE(percent > 0 && percent <= 100) << percent;
}

TEST(Check, FindsEveryProblemOfTheSqlBeforeTheFirstJob) {
  const auto finished = run_program(
      {GAUR_DUCKDB_EXECUTABLE, "--check", std::string(GAUR_TEST_FOLDER) + "/golden/bad_sql.json"});
  EXPECT_EQ(finished.code, 1);
  expect_golden("bad_sql.problems", finished.output);
}

TEST(Check, PlansEachVariantWithValuesAndWithoutThem) {
  TempFolder folder;
  const auto file = (folder.path() / "s.json").string();
  write_file(file, R"~({"functions":{
    "good":{"sql":"SELECT $d + INTERVAL 1 DAY AS a, coalesce($m, 1) AS b /*if k*/, $k || 'x' AS c /*end*/ FROM range($n) LIMIT $l",
            "params":{"d":{"type":"date"},"m":{"type":"decimal(9,2)"},"k":{},"n":{"type":"bigint","default":3},"l":{"type":"bigint"}}},
    "file":{"sql":"SELECT * FROM read_parquet($path)","params":{"path":{"required":true}}},
    "types":{"sql":"SELECT $s + 1 AS a","params":{"s":{}}},
    "block":{"sql":"SELECT 1 AS a /*if b*/, 2 + $b AS b /*end*/","params":{"b":{"type":"boolean"}}},
    "null":{"sql":"SELECT count(*) AS a FROM read_csv($path)","params":{"path":{}}}}})~");
  const auto finished = run_program({GAUR_DUCKDB_EXECUTABLE, "--check", file});
  expect_golden("variants.problems", finished.output);
  EXPECT_EQ(finished.code, 1);
  EXPECT_EQ(finished.output.find("functions.good"), std::string::npos) << finished.output;
  EXPECT_EQ(finished.output.find("functions.file"), std::string::npos)
      << "a missing file is not a problem of the SQL";
}

TEST(Check, AcceptsAndDescribesAValidSpec) {
  TempFolder folder;
  const auto file = (folder.path() / "good.json").string();
  write_file(
      file,
      R"~({"timezone":"Asia/Seoul","functions":{"f":{"sql":"SELECT 1 AS a, sum(i) AS s FROM range(10) t(i) WHERE i < $n","params":{
    "n" : {
      "type" : "bigint", "default" : 3
    }}
  }
  }
  })~");
  const auto checked = run_program({GAUR_DUCKDB_EXECUTABLE, "--check", file});
  EXPECT_EQ(checked.code, 0);
  EXPECT_EQ(checked.output, "");
  const auto described = json::parse(run_program({GAUR_DUCKDB_EXECUTABLE, "--describe", file}).output);
  ASSERT_TRUE(described);
  EXPECT_EQ(json::serialize(described->at("functions").at("f").at("columns")),
            R"~([{"name":"a","type":"INTEGER"},{"name":"s","type":"HUGEINT"}])~");
  EXPECT_EQ(described->at("timezone"), "Asia/Seoul");
}

TEST(Library, ReportsAMissingLibrary) {
  for (const char* argument : {"--version", "--check"}) {
    TempFolder folder;
    const auto file = (folder.path() / "s.json").string();
    write_file(file, R"~({"functions":{"f":{"sql":"SELECT 1"}}})~");
    std::vector<std::string> command{GAUR_DUCKDB_EXECUTABLE, argument};
    if (std::string(argument) == "--check") command.push_back(file);
    const auto finished = run_program(command, {{"GAUR_DUCKDB_LIBRARY", "/nowhere/libduckdb.so"}});
    EXPECT_EQ(finished.code, 1);
    EXPECT_NE(finished.output.find(
                  "libduckdb cannot be loaded (/nowhere/libduckdb.so: cannot open shared object file"),
              std::string::npos)
        << finished.output;
    EXPECT_NE(finished.output.find("Run scripts/setup"), std::string::npos);
  }
}

TEST(Library, RejectsAnotherLibrary) {
  const auto finished =
      run_program({GAUR_DUCKDB_EXECUTABLE, "--version"}, {{"GAUR_DUCKDB_LIBRARY", "libm.so.6"}});
  EXPECT_EQ(finished.code, 1);
  EXPECT_NE(finished.output.find("libm.so.6 (no DuckDB?) has no function duckdb_"), std::string::npos)
      << finished.output;
}

}  // namespace
}  // namespace gaur::test
