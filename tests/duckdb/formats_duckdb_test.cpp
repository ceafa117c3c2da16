// Result files, read back by Python's csv and json and by DuckDB's Node client.
#include <gtest/gtest.h>

#include "runner_process.hpp"
#include "types_sql.hpp"

namespace gaur::test {
namespace {

namespace fs = std::filesystem;

// Text forms that CSV and JSON share, so that one expected list serves both; Korean, quotes, line breaks,
// empty and NULL.
constexpr const char* kTexts =
    "SELECT i::INTEGER AS \"번호\", CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '쉼표, "
    "\"따옴표\"' WHEN 3 THEN 'line' || chr(10) || 'break' "
    "ELSE '키워드 ' || i END AS \"키워드, 이름\", (i * 1.25)::DECIMAL(18,2) AS amount, i * 1000000007 AS "
    "big, DATE '2026-01-01' + (i % 365)::INTEGER AS day "
    "FROM range(20000) t(i) ORDER BY i";

constexpr const char* kNumbers =
    "SELECT (random_seed * 0 + i) AS i, sqrt(i) AS d, (i / 7)::FLOAT AS f, i::HUGEINT * 10000000000 AS h, "
    "TIMESTAMPTZ '2026-11-22 00:00:00+09' + to_microseconds(i * 1234567) AS at, TIMESTAMP '2026-11-22 "
    "00:00:00' - to_seconds(i * 0.5) AS local, "
    "['한' || i, NULL] AS l, {'a': i::INTEGER, 'b': NULL::VARCHAR} AS s, ('\\x00' || i)::BLOB AS b, (i % 2 = "
    "0) AS even "
    "FROM (SELECT 1 AS random_seed), range(500) t(i) ORDER BY i";

class Formats : public testing::Test {
 protected:
  static std::string spec() {
    json::Object functions;
    const auto add = [&](const std::string& name, const std::string& sql, json::Object more) {
      more["sql"] = sql;
      functions[name] = std::move(more);
    };
    for (const char* format : {"parquet", "csv", "ndjson"}) {
      add(std::string("texts_") + format, kTexts, {{"on_large", "file"}, {"format", format}});
      add(std::string("types_") + format, type_query(),
          {{"on_large", "file"}, {"inline_bytes", 0}, {"format", format}});
    }
    add("texts_bom", kTexts, {{"on_large", "file"}, {"format", "csv"}, {"csv_bom", true}});
    add("empty_bom", "SELECT 1 AS \"가,나\" WHERE false",
        {{"on_large", "file"}, {"inline_bytes", 0}, {"format", "csv"}, {"csv_bom", true}});
    add("numbers", kNumbers, {{"envelope", false}});
    add("limited", "SELECT i FROM range(100000) t(i)",
        {{"on_large", "file"}, {"max_rows", 70000}, {"bigint", "number"}});
    add("no_file", kTexts, {});
    return json::serialize(json::Object{{"timezone", "Asia/Seoul"}, {"functions", functions}});
  }

  fs::path file_of(const json::Object& outcome) {
    const auto* file = outcome.if_contains("file");
    EXPECT_NE(file, nullptr) << runner_.last_line.substr(0, 500);
    if (file == nullptr) return {};
    const auto path = runner_.out() / std::string(file->at("name").as_string());
    EXPECT_TRUE(fs::exists(path));
    for (const auto& entry : fs::directory_iterator(runner_.out()))
      EXPECT_NE(entry.path().extension(), ".part");
    return path;
  }
  fs::path write(const std::string& name, const std::string& text) {
    write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }
  std::string node(const std::vector<std::string>& arguments) {
    std::vector<std::string> command{"node", std::string(GAUR_TEST_FOLDER) + "/node/read_back.mjs"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto finished = run_program(command);
    EXPECT_EQ(finished.code, 0) << finished.output;
    return finished.output;
  }
  std::string python(const std::string& kind, const fs::path& file, const fs::path& rows) {
    const auto finished = run_program(
        {"python3", std::string(GAUR_TEST_FOLDER) + "/read_back.py", kind, file.string(), rows.string()});
    EXPECT_EQ(finished.code, 0) << finished.output;
    return finished.output;
  }

  RunnerProcess runner_{spec()};
  TempFolder folder_;
};

TEST_F(Formats, InlineRowsEqualTheNodeClientsByteForByte) {
  runner_.call("numbers");
  const auto expected =
      "\"result\":" + node({"rows", write("numbers.sql", kNumbers).string()}) + ",\"usage\"";
  EXPECT_NE(runner_.last_line.find(expected), std::string::npos) << runner_.last_line.substr(0, 700) << "\n"
                                                                 << expected.substr(0, 700);
}

TEST_F(Formats, ReadsLargeTextResultsBackFromEveryFormat) {
  const auto rows = write("rows.json", node({"rows", write("texts.sql", kTexts).string()}));
  EXPECT_EQ(python("csv", file_of(runner_.call("texts_csv")), rows), "20000 rows are the same\n");
  const auto bom = file_of(runner_.call("texts_bom"));
  EXPECT_EQ(read_file(bom).substr(0, 3), "\xEF\xBB\xBF");
  EXPECT_EQ(python("csv", bom, rows), "20000 rows are the same\n");
  EXPECT_EQ(python("ndjson", file_of(runner_.call("texts_ndjson")), rows), "20000 rows are the same\n");
  const auto parquet = runner_.call("texts_parquet");
  EXPECT_EQ(node({"compare", (folder_.path() / "texts.sql").string(), file_of(parquet).string()}),
            "5 columns, 20000 rows are the same\n");
  EXPECT_EQ(parquet.at("result").at("row_count"), 20000);
  EXPECT_EQ(parquet.at("file").at("rows"), 20000);
  EXPECT_FALSE(parquet.at("result").as_object().contains("rows"));
}

TEST_F(Formats, ReadsEveryTypeBackFromParquet) {
  const auto query = write("types.sql", type_query());
  const auto said = node({"compare", query.string(), file_of(runner_.call("types_parquet")).string()});
  EXPECT_EQ(said, std::to_string(type_rows().size()) + " columns, 2 rows are the same\n");
}

TEST_F(Formats, ReadsEveryTypeBackFromNdjson) {
  std::string rows = "[{";
  std::string nulls = "{";
  for (const auto& type : type_rows()) {
    rows += (rows.size() == 2 ? "\"" : ",\"") + type.name + "\":" + type.json;
    nulls += (nulls.size() == 1 ? "\"" : ",\"") + type.name + "\":null";
  }
  const auto expected = write("types.json", rows + "}," + nulls + "}]");
  EXPECT_EQ(python("ndjson", file_of(runner_.call("types_ndjson")), expected), "2 rows are the same\n");
}

TEST_F(Formats, CsvHasDuckdbsTextOfEveryType) {
  std::string list;
  for (const auto& type : type_rows())
    list += (list.empty() ? "" : ", ") + type.name + "::VARCHAR AS " + type.name;
  const auto as_text = "SELECT " + list + " FROM (" + type_query() + ")";
  const auto rows = write("types.json", node({"rows", write("types.sql", as_text).string()}));
  EXPECT_EQ(python("csv", file_of(runner_.call("types_csv")), rows), "2 rows are the same\n");
}

TEST_F(Formats, AnEmptyResultHasOnlyAHeader) {
  EXPECT_EQ(read_file(file_of(runner_.call("empty_bom"))), "\xEF\xBB\xBF\"가,나\"\n");
}

TEST_F(Formats, MaxRowsTruncatesAndReportsIt) {
  const auto outcome = runner_.call("limited");
  EXPECT_EQ(outcome.at("result").at("row_count"), 70000);
  EXPECT_EQ(outcome.at("result").at("truncated"), true);
  EXPECT_EQ(node({"compare", write("limited.sql", "SELECT i FROM range(70000) t(i)").string(),
                  file_of(outcome).string()}),
            "1 columns, 70000 rows are the same\n");
}

TEST_F(Formats, FailsALargeResultWithoutAFile) {
  const auto outcome = runner_.call("no_file");
  EXPECT_EQ(json::text_or(outcome, "code", ""), "too_large");
  EXPECT_EQ(outcome.at("final"), true);
  EXPECT_TRUE(fs::is_empty(runner_.out()));
}

}  // namespace
}  // namespace gaur::test
