// Compares docs/reference/http-api.md with the table of routes, and its table of problems with the statuses
// of errors.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "http/problem.hpp"
#include "http/router.hpp"

namespace gaur::http {
namespace {

std::string document() {
  std::ifstream file(GAUR_SOURCE_DIR "/docs/reference/http-api.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The sections of the form "### `GET /path`", heading to text.
std::map<std::string, std::string> sections(const std::string& text) {
  std::map<std::string, std::string> out;
  const std::string mark = "\n### `";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size();
    const std::size_t end = text.find("`\n", begin);
    const std::size_t next = std::min(text.find("\n##", end), text.size());
    out[text.substr(begin, end - begin)] = text.substr(end, next - end);
  }
  return out;
}

TEST(HttpDocs, TheTableOfRightsIsTheTableOfRoutes) {
  const std::string text = document();
  std::string table = "| route | right |\n|---|---|\n";
  for (const Route& route : routes()) {
    table += "| `" + std::string(route.method) + " " + std::string(route.pattern) + "` | " +
             std::string(to_string(route.right)) + " |\n";
  }
  EXPECT_NE(text.find(table + "\n"), std::string::npos) << "write into docs/reference/http-api.md:\n"
                                                        << table;
}

TEST(HttpDocs, every_route_has_its_section_and_every_section_its_route) {
  auto found = sections(document());
  ASSERT_FALSE(found.empty());
  for (const Route& route : routes()) {
    const std::string name = std::string(route.method) + " " + std::string(route.pattern);
    ASSERT_TRUE(found.contains(name)) << name << " is not documented";
    std::stringstream parameters{std::string(route.query)};
    for (std::string parameter; parameters >> parameter;) {
      EXPECT_NE(found[name].find("`" + parameter + "`"), std::string::npos)
          << name << " does not document " << parameter;
    }
    found.erase(name);
  }
  for (const auto& [name, text] : found) ADD_FAILURE() << name << " is documented and does not exist";
}

TEST(HttpDocs, every_error_is_in_the_table_of_problems_with_its_status) {
  const std::string text = document();
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i) {
    const auto code = static_cast<Errc>(i);
    const std::string name = "`" + std::string(to_string(code)) + "`";
    std::size_t line = text.find("\n| `", text.find("| code | status |"));
    bool found = false;
    for (; line != std::string::npos && !found; line = text.find("\n| `", line + 1)) {
      const std::string row = text.substr(line, text.find('\n', line + 1) - line);
      const std::string first = row.substr(0, row.find('|', 3));
      found = first.find(name) != std::string::npos &&
              row.find("| " + std::to_string(status_of(code)) + " |") != std::string::npos;
    }
    EXPECT_TRUE(found) << to_string(code) << " with status " << status_of(code);
  }
}

}  // namespace
}  // namespace gaur::http
