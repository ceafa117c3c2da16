// Limits of results, result files, and the errors of results that are too large.
#include <gtest/gtest.h>

#include "runner_process.hpp"

namespace gaur::test {
namespace {

namespace fs = std::filesystem;
using testing::Test;

// An ENUM of 50 000 values: its type's text takes about 740 kB.
constexpr const char* kSpec = R"~({"ad_hoc":true,
  "setup":["CREATE TYPE big AS ENUM (SELECT 'value-' || i FROM range(50000) t(i))"],
  "functions":{
    "sql":{"ad_hoc":true},
    "small_sql":{"ad_hoc":true,"on_large":"error"},
    "wide":{"sql":"SELECT repeat('x', 1000) AS s FROM range(3000)","max_result":4194304,"inline_bytes":4000000},
    "usual":{"sql":"SELECT repeat('x', 1000) AS s FROM range(3000)","inline_bytes":983040},
    "endless":{"sql":"SELECT max(('value-' || (i % 50000))::big) AS e FROM range(1000000000000) t(i)","max_result":524288},
    "bare":{"sql":"SELECT 'value-1'::big AS e","envelope":false,"max_result":524288},
    "bare_file":{"sql":"SELECT 'value-1'::big AS e FROM range(100000)","envelope":false,"max_result":524288,"on_large":"file"},
    "enum":{"sql":"SELECT 'value-1'::big AS e, repeat('x', 1000) AS s FROM range(350)","inline_bytes":400000},
    "enum_file":{"sql":"SELECT 'value-1'::big AS e, repeat('x', 1000) AS s FROM range(350)","inline_bytes":400000,"on_large":"file"}}})~";

class Results : public Test {
 protected:
  json::Object failed(const std::string& function) {
    auto outcome = runner_.call(function);
    EXPECT_EQ(json::text_or(outcome, "code", ""), "too_large") << runner_.last_line.substr(0, 300);
    return outcome;
  }
  RunnerProcess runner_{kSpec};
};

TEST_F(Results, WritesALargeAdHocResultToAFileByDefault) {
  const json::Object data{{"sql", "SELECT i, repeat('x', 100) AS s FROM range(100000) t(i)"}};
  const auto outcome = runner_.call("sql", data);
  ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner_.last_line.substr(0, 300);
  EXPECT_EQ(outcome.at("result").at("row_count"), 100000);
  EXPECT_TRUE(fs::exists(runner_.out() / std::string(outcome.at("file").at("name").as_string())));
  EXPECT_EQ(json::text_or(runner_.call("small_sql", data), "code", ""), "too_large");
}

TEST_F(Results, MaxResultLimitsInlineRows) {
  const auto wide = runner_.call("wide");
  ASSERT_EQ(json::text_or(wide, "type", ""), "completed") << runner_.last_line.substr(0, 300);
  EXPECT_EQ(wide.at("result").at("rows").as_array().size(), 3000U);
  EXPECT_GT(runner_.last_line.size(), 3'000'000U);
  EXPECT_NE(
      json::text_or(failed("usual"), "message", "").find("983040 bytes that are kept as JSON (inline_bytes)"),
      std::string::npos)
      << runner_.last_line;
}

TEST_F(Results, RejectsATooLargeSchemaBeforeTheQueryRuns) {
  const auto outcome = failed("endless");  // it would run for hours
  const auto message = json::text_or(outcome, "message", "");
  EXPECT_NE(message.find("at most 524288 bytes is kept (max_result)"), std::string::npos) << message;
  EXPECT_NE(message.find("the type of column \"e\" (ENUM): cast the column to VARCHAR"), std::string::npos)
      << message;
  EXPECT_EQ(outcome.at("final"), true);
  EXPECT_EQ(outcome.at("details").at("column"), "e");
}

TEST_F(Results, ALargeTypeFitsWithoutTheSchema) {
  EXPECT_EQ(json::serialize(runner_.call("bare").at("result")), R"([{"e":"value-1"}])");
  failed("bare_file");  // a file's result has the schema
  EXPECT_TRUE(fs::is_empty(runner_.out()));
}

TEST_F(Results, RowsThatDoNotFitBesideTheSchemaGoToAFile) {
  const auto file = runner_.call("enum_file");
  ASSERT_EQ(json::text_or(file, "type", ""), "completed") << runner_.last_line.substr(0, 300);
  EXPECT_TRUE(file.contains("file"));
  EXPECT_LT(runner_.last_line.size(), (1U << 20) + 4096);
  const auto message = json::text_or(failed("enum"), "message", "");
  EXPECT_NE(message.find("are left of max_result = 1048576: the schema takes"), std::string::npos) << message;
  EXPECT_NE(message.find("the type of column \"e\" (ENUM)"), std::string::npos) << message;
}

}  // namespace
}  // namespace gaur::test
