#include "app/config/schema.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "app/config/settings.hpp"

namespace gaur::app {
namespace {

std::string read(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(Schema, HasEachKeyOnceWithAValidDefault) {
  std::set<std::string_view> seen;
  for (const KeyRow& row : schema()) {
    EXPECT_TRUE(seen.insert(row.path).second) << row.path;
    EXPECT_FALSE(row.doc.empty()) << row.path;
    if (row.fallback.empty()) continue;
    const auto value = read_value(row, json::Value(row.fallback), "/base", true);
    EXPECT_TRUE(value) << row.path << ": " << (value ? "" : value.error().message);
  }
}

TEST(Schema, QuotesNamesWithDotsAndParsesThem) {
  const KeyPath path{"functions", "report.daily", "timeout"};
  EXPECT_EQ(to_string(path), "functions.\"report.daily\".timeout");
  EXPECT_EQ(parse_path(to_string(path)), path);
  ASSERT_NE(find_row(path), nullptr);
  EXPECT_EQ(find_row(path)->path, "functions.*.timeout");
  EXPECT_EQ(find_row({"functions", "x"}), nullptr);
  EXPECT_TRUE(is_table({"functions", "x"}));
  EXPECT_FALSE(is_table({"funktions"}));
}

// The tables in docs/reference/configuration.md are generated from the schema.
TEST(Schema, MatchesTheDocumentation) {
  const std::string file = GAUR_DOCS "/reference/configuration.md";
  const std::string page = read(file);
  const std::string begin = "<!-- keys: made from src/app/config/schema_rows.cpp -->\n";
  const std::string end = "<!-- end of keys -->";
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("GAUR_UPDATE_DOCS") != nullptr) {
    std::ofstream(file) << page.substr(0, from + begin.size()) + markdown_tables() + page.substr(to);
    return;
  }
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), markdown_tables())
      << "run this test with GAUR_UPDATE_DOCS=1 to update docs/reference/configuration.md";
}

}  // namespace
}  // namespace gaur::app
