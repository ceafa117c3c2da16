// Every DuckDB type through the real executable: the exact characters of its JSON, and its exact type in the
// schema.
#include <gtest/gtest.h>

#include "duckdb/text_forms.hpp"
#include "runner_process.hpp"
#include "types_sql.hpp"

namespace gaur::test {
namespace {

std::string spec_of(const std::string& sql, const json::Object& more = {}) {
  json::Object function{{"sql", sql}};
  for (const auto& member : more) function[member.key()] = member.value();
  return json::serialize(
      json::Object{{"timezone", "Asia/Seoul"}, {"functions", json::Object{{"f", function}}}});
}

TEST(Types, WritesEveryTypeExactlyAndNullAsNull) {
  std::string row = "{";
  std::string nulls = "{";
  for (const auto& type : type_rows()) {
    const std::string key = (row.size() == 1 ? "\"" : ",\"") + type.name + "\":";
    row += key + type.json;
    nulls += key + "null";
  }
  RunnerProcess runner(spec_of(type_query(), {{"envelope", false}}));
  const auto outcome = runner.call("f");
  ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
  const std::string expected = "\"result\":[" + row + "}," + nulls + "}]";
  const auto at = runner.last_line.find("\"result\":");
  EXPECT_EQ(runner.last_line.substr(at, expected.size()), expected);
}

TEST(Types, TheSchemaHasDuckdbsTypes) {
  std::string names;
  for (const auto& type : type_rows()) {
    if (type.name.starts_with("c_variant") || type.name == "c_geometry") continue;  // cast to text
    names += (names.empty() ? "" : ", ") + std::string("typeof(") + type.sql + ") AS " + type.name;
  }
  RunnerProcess own(spec_of("SELECT " + names));
  RunnerProcess runner(spec_of(type_query()));
  const auto said = own.call("f").at("result").at("rows").at(0).as_object();
  const auto outcome = runner.call("f");
  for (const auto& column : outcome.at("result").at("schema").as_array()) {
    const auto* type = said.if_contains(std::string_view(column.at("name").as_string()));
    if (type == nullptr) continue;
    EXPECT_EQ(column.at("type"), *type) << column.at("name");
  }
}

TEST(Types, KeepsTheRowsOfManyChunksOfNestedText) {
  RunnerProcess runner(
      spec_of("SELECT i::INTEGER AS i, ['t' || i, repeat('한', (i % 9)::INTEGER)] AS l, {'n': CASE WHEN i % "
              "3 = 0 THEN NULL ELSE i::INTEGER END} AS s, "
              "CASE WHEN i % 2 = 0 THEN 'even'::ENUM('even','odd') END AS e FROM range(5000) t(i) ORDER BY i",
              {{"inline_bytes", 900000}, {"result", "arrays"}, {"envelope", false}}));
  const auto outcome = runner.call("f");
  const auto& rows = outcome.at("result").as_array();
  ASSERT_EQ(rows.size(), 5000U);
  for (int i = 0; i < 5000; ++i) {
    std::string repeated;
    for (int n = 0; n < i % 9; ++n) repeated += "한";
    const json::Array expected{i, json::Array{"t" + std::to_string(i), repeated},
                               json::Object{{"n", i % 3 == 0 ? json::Value() : json::Value(i)}},
                               i % 2 == 0 ? json::Value("even") : json::Value()};
    ASSERT_EQ(rows[static_cast<std::size_t>(i)], json::Value(expected));
  }
}

TEST(Types, NumberOptionsStayExact) {
  RunnerProcess runner(
      spec_of("SELECT 9007199254740991 AS a, 9007199254740992 AS b, -1::HUGEINT AS c, "
              "99999999999999.9::DECIMAL(15,1) AS d, "
              "1000000000000000.0::DECIMAL(17,1) AS e, 'nan'::DOUBLE AS f, 'inf'::FLOAT AS g, 7::BIGNUM AS "
              "h, 18446744073709551615::UHUGEINT AS i",
              {{"bigint", "number"},
               {"decimal", "number"},
               {"nonfinite", "string"},
               {"envelope", false},
               {"result", "arrays"}}));
  runner.call("f");
  EXPECT_NE(
      runner.last_line.find(
          R"~("result":[[9007199254740991,"9007199254740992",-1,99999999999999.9,"1000000000000000.0","NaN","Infinity",7,"18446744073709551615"]])~"),
      std::string::npos)
      << runner.last_line;
}

TEST(TextForms, WritesDoublesLikeEcmascript) {
  const auto written = [](double value) {
    std::string out;
    duckdb::append_double(out, value);
    return out;
  };
  EXPECT_EQ(written(0), "0");
  EXPECT_EQ(written(-0.0), "-0");
  EXPECT_EQ(written(100), "100");
  EXPECT_EQ(written(-1.5), "-1.5");
  EXPECT_EQ(written(999999999999999900000.0), "999999999999999900000");
  EXPECT_EQ(written(1e21), "1e+21");
  EXPECT_EQ(written(1.25e-6), "0.00000125");
  EXPECT_EQ(written(1e-7), "1e-7");
  EXPECT_EQ(written(1.7976931348623157e308), "1.7976931348623157e+308");
}

}  // namespace
}  // namespace gaur::test
