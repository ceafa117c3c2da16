#include "duckdb/spec.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "duckdb/check.hpp"

namespace gaur::duckdb {
namespace {

namespace fs = std::filesystem;

std::string lines(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& problem : problems) text += problem_line(problem) + "\n";
  return text;
}

std::string slurp(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Spec, ReportsEveryProblemWithItsPath) {
  const fs::path folder = fs::path(GAUR_TEST_FOLDER) / "golden";
  std::vector<Problem> problems;
  read_spec(*json::parse_object(slurp(folder / "bad_spec.json")), problems);
  const auto golden = folder / "bad_spec.problems";
  if (std::getenv("GAUR_WRITE_GOLDEN") != nullptr) std::ofstream(golden) << lines(problems);
  EXPECT_EQ(slurp(golden), lines(problems));
}

TEST(Spec, ReadsAValidSpecWithDefaults) {
  std::vector<Problem> problems;
  const auto spec =
      read_spec(*json::parse_object(R"~({"timezone":"Asia/Seoul","functions":{"f":{"sql":["SELECT","$d"],
      "params":{"d":{"type":"decimal(10,2)[]","default":[1.5,"2.25"]}}}}})~"),
                problems);
  EXPECT_EQ(lines(problems), "");
  const auto& function = spec.functions.at("f");
  EXPECT_EQ(function.sql->text(), "SELECT\n$d\n");
  EXPECT_EQ(function.parameters.at("d").type.text(), "decimal(10,2)[]");
  EXPECT_TRUE(function.envelope);
  EXPECT_EQ(function.inline_bytes, 262144U);
  EXPECT_EQ(spec.timezone, "Asia/Seoul");
}

class SpecPaths : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "gaur-paths-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    for (const char* each : {"sample", "server/results", "server/run/sql-1/out"})
      fs::create_directories(root_ / each);
    fs::create_directory_symlink(root_ / "server", root_ / "link");
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string problem_with(const std::string& data, const std::string& server) {
    Spec spec;
    spec.root = root_;
    spec.data = {data};
    spec.server_data = server.empty() ? fs::path() : root_ / server;
    std::vector<Problem> problems;
    check_paths(spec, {root_ / "server/run/sql-1/out"}, problems);
    return problems.empty() ? "" : problems[0].path;
  }
  fs::path root_;
};

TEST_F(SpecPaths, RejectsTheServersDataFolderItsContentAncestorsAndLinks) {
  EXPECT_EQ(problem_with("sample", "server"), "");
  for (const char* data : {"server", "server/", "server/results", ".", "/", "link", "sample/../server",
                           "link/results", "absent"}) {
    EXPECT_EQ(problem_with(data, "server"), "data.0") << data;
  }
}

TEST_F(SpecPaths, RejectsAFolderAboveTheRunnersFolders) {
  EXPECT_EQ(problem_with("sample", ""), "");
  EXPECT_EQ(problem_with("server", ""), "data.0");
  EXPECT_EQ(problem_with("/", ""), "data.0");
}

}  // namespace
}  // namespace gaur::duckdb
