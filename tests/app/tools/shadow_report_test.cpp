// The verdict of a shadow run, and its report.
#include "app/shadow/shadow_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gaur::app {
namespace {

using testing::HasSubstr;
using testing::Not;

ShadowRun run(const std::string& id, const std::string& was, const std::string& is) {
  ShadowRun made;
  made.id = id;
  made.function = "rank";
  made.comparison = compare_json(*json::parse(was), *json::parse(is));
  made.then_ms = 100;
  made.now_ms = 50;
  made.cpu_ms = 100;
  made.peak_bytes = 1'000'000;
  return made;
}

TEST(Verdicts, OnlyEqualOrAllowedResultsAreAcceptable) {
  struct Row {
    std::vector<ShadowRun> runs;
    std::set<DifferenceKind> allowed;
    bool acceptable;
  };
  ShadowRun failed = run("9", "1", "1");
  failed.problem = "failed: boom (error)";
  const std::vector<Row> rows{
      {{}, {}, false},  // no run was compared
      {{run("1", "1", "1")}, {}, true},
      {{run("1", "1", "1"), run("2", "1", "2")}, {}, false},
      {{run("1", "[1,2]", "[2,1]")}, {}, false},
      {{run("1", "[1,2]", "[2,1]")}, {DifferenceKind::kOrder}, true},
      {{run("1", "[1,2]", R"(["2",1])")}, {DifferenceKind::kOrder}, false},
      {{run("1", "1", "1"), failed}, {DifferenceKind::kValue}, false},
  };
  for (const Row& row : rows) {
    const ShadowReport report{.runs = row.runs, .allowed = row.allowed};
    EXPECT_EQ(report.acceptable(), row.acceptable) << row.runs.size();
    const std::string text = shadow_text(report);
    EXPECT_EQ(text.find("\nthe results agree\n") != std::string::npos, row.acceptable) << text;
  }
}

TEST(Verdicts, SumsUpByFunction) {
  ShadowRun failed = run("4", "1", "1");
  failed.problem = "crashed: runner died of SIGSEGV";
  const ShadowReport report{
      .runs = {run("1", "1", "1"), run("2", "[1,2]", "[2,1]"), run("3", "1", "2"), failed},
      .allowed = {DifferenceKind::kOrder}};
  const auto functions = report.functions();
  ASSERT_EQ(functions.size(), 1U);
  EXPECT_EQ(functions[0].runs, 4U);
  EXPECT_EQ(functions[0].equal, 1U);
  EXPECT_EQ(functions[0].allowed, 1U);
  EXPECT_EQ(functions[0].different, 1U);
  EXPECT_EQ(functions[0].failed, 1U);
  EXPECT_EQ(functions[0].cores.mean, 2);  // 100 ms of CPU in 50 ms
  EXPECT_EQ(functions[0].now_ms.count, 3U) << "the time of a failed run does not count";
}

TEST(Verdicts, TheTextShowsDifferencesThatAreNotAllowed) {
  const ShadowReport report{
      .runs = {run("17", "[1,2]", "[2,1]"), run("18", R"({"a":{"b":1}})", R"({"a":{"b":2}})")},
      .skipped = {{"mail", 3}},
      .allowed = {DifferenceKind::kOrder}};
  const std::string text = shadow_text(report);
  EXPECT_THAT(text, HasSubstr("job 18 (rank)\n    value  a.b\n      was 1\n      is  2\n"));
  EXPECT_THAT(text, Not(HasSubstr("job 17")));
  EXPECT_THAT(text, HasSubstr("mail: 3 kept jobs skipped, the function is not configured"));
  EXPECT_THAT(text, HasSubstr("rank: order in 1 (allowed), value in 1"));
}

TEST(Verdicts, CountsAllDifferentJobsAndShowsTen) {
  ShadowReport report;
  for (int i = 0; i < 25; ++i) report.runs.push_back(run(std::to_string(i), "1", "2"));
  EXPECT_THAT(shadow_text(report), HasSubstr("... and 15 more jobs of rank"));
  const auto parsed = json::parse(shadow_json(report));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("runs").as_array().size(), 25U);
  EXPECT_EQ(parsed->at("acceptable"), false);
  EXPECT_EQ(parsed->at("functions").at(0).at("kinds").at("value"), 25);
}

}  // namespace
}  // namespace gaur::app
