// pm2's file: its forms, its numbers, its table of settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "app/config/schema.hpp"
#include "app/init/pm2.hpp"

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Pm2App one(const std::string& text) {
  const auto apps = parse_pm2(text);
  EXPECT_TRUE(apps) << (apps ? "" : apps.error().message);
  return apps ? apps->front() : Pm2App{};
}

/// "`pools.NAME.env`" as a path of the schema.
KeyPath key_in(std::string_view counterpart) {
  return parse_path(counterpart.substr(1, counterpart.size() - 2));
}

TEST(Pm2, EveryFormOfTheFileIsRead) {
  const std::string app = R"({"script": "dist/worker.js"})";
  for (const std::string& text : {R"({"apps": [)" + app + "]}", R"({"apps": )" + app + "}", "[" + app + "]",
                                  app, R"({"pm2": [)" + app + "]}", "\xEF\xBB\xBF" + app}) {
    EXPECT_EQ(one(text).script, "dist/worker.js") << text;
    EXPECT_EQ(one(text).name, "worker") << "pm2 names an app after its script";
  }
}

TEST(Pm2, CommentsAndTrailingCommasAreRead) {
  const Pm2App app = one(R"({
  // the workers
  "apps": [{ "script": "w.js", /* four of them */ "instances": 4, "args": "a // b", },],
})");
  EXPECT_EQ(app.instances, 4);
  EXPECT_THAT(app.args, ElementsAre("a", "//", "b"));
}

TEST(Pm2, ValuesAreReadAsPm2ReadsThem) {
  const Pm2App app = one(R"({"name": "query-worker", "script": "w.js", "exec_mode": "fork", "instances": "4",
    "max_memory_restart": "1.5G", "kill_timeout": 1600, "min_uptime": "1m", "listen_timeout": "3000",
    "node_args": "--max-old-space-size=4096 --require 'a b.js'", "args": ["x", 1], "wait_ready": true,
    "env": {"BULL_COUNT": 1, "DEBUG": true}, "env_production": {"NODE_ENV": "production", "BULL_COUNT": 2}})");
  EXPECT_EQ(app.name, "query-worker");
  EXPECT_EQ(app.instances, 4);
  EXPECT_FALSE(app.cluster);
  EXPECT_EQ(app.max_memory_bytes, 1'610'612'736U);
  EXPECT_EQ(app.kill_timeout_ms, 1600);
  EXPECT_EQ(app.min_uptime_ms, 60'000);
  EXPECT_EQ(app.listen_timeout_ms, 3000);
  EXPECT_THAT(app.node_args, ElementsAre("--max-old-space-size=4096", "--require", "a b.js"));
  EXPECT_THAT(app.args, ElementsAre("x", "1"));
  EXPECT_TRUE(app.wait_ready);
  EXPECT_THAT(app.environment(""), ElementsAre(Pair("BULL_COUNT", "1"), Pair("DEBUG", "true")));
  EXPECT_THAT(app.environment("production"),
              ElementsAre(Pair("BULL_COUNT", "2"), Pair("DEBUG", "true"), Pair("NODE_ENV", "production")));
}

TEST(Pm2, InstancesBecomeProcesses) {
  struct Row {
    std::string instances;
    std::uint32_t processes;
  };
  for (const Row& row :
       {Row{"1", 1}, Row{"4", 4}, Row{"\"max\"", 24}, Row{"0", 24}, Row{"-1", 23}, Row{"-30", 1}}) {
    EXPECT_EQ(one(R"({"script": "w.js", "instances": )" + row.instances + "}").processes(24), row.processes)
        << row.instances;
  }
  EXPECT_EQ(one(R"({"script": "w.js"})").processes(24), 1U);
}

TEST(Pm2, InstancesWithoutAModeMakeACluster) {
  EXPECT_TRUE(one(R"({"script": "w.js", "instances": 2})").cluster);
  EXPECT_FALSE(one(R"({"script": "w.js", "instances": 2, "exec_mode": "fork"})").cluster);
  EXPECT_TRUE(one(R"({"script": "w.js", "exec_mode": "cluster_mode"})").cluster);
}

TEST(Pm2, MistakesSayWhere) {
  struct Row {
    std::string text, message;
  };
  for (const Row& row :
       {Row{"{\n\"apps\": [}", "line 2"}, Row{R"({"apps": []})", "names no app"},
        Row{R"({"apps": [{"script": "a.js"}, {"name": "b"}]})", "app 2 has no script"},
        Row{R"({"apps": ["a.js"]})", "app 1 is no object"}, Row{"module.exports = {}", "line 1"}}) {
    const auto apps = parse_pm2(row.text);
    ASSERT_FALSE(apps) << row.text;
    EXPECT_THAT(apps.error().message, HasSubstr(row.message));
  }
}

TEST(Pm2, TheWorkerIsFoundAmongSeveralApps) {
  const auto apps = *parse_pm2(R"({"apps": [
    {"name": "api", "script": "dist/main.js", "env": {"BULL_COUNT": 0}},
    {"name": "query", "script": "dist/query.js", "env": {"BULL_COUNT": 0}},
    {"name": "query-worker", "script": "dist/worker.js", "env": {"BULL_COUNT": 1}}]})");
  EXPECT_EQ(choose_pm2_app(apps, "")->name, "query-worker");
  EXPECT_EQ(choose_pm2_app(apps, "api")->name, "api");
  EXPECT_THAT(choose_pm2_app(apps, "wrker").error().message, HasSubstr("there are api, query, query-worker"));
  const auto two = *parse_pm2(R"([{"script": "worker-a.js"}, {"script": "worker-b.js"}])");
  EXPECT_THAT(choose_pm2_app(two, "").error().message, HasSubstr("--app NAME (worker-a, worker-b)"));
}

TEST(Pm2, EverySettingHasARowOnceAndWhatBecomesOfIt) {
  std::set<std::string_view> names;
  for (const Pm2Row& row : pm2_rows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(find_pm2_row(row.name), &row);
    if (row.fate == Pm2Fate::kNone) {
      EXPECT_EQ(row.counterpart, "") << row.name;
    }
    if (row.fate == Pm2Fate::kElsewhere) {
      EXPECT_NE(row.counterpart, "") << row.name;
    }
    if (row.fate == Pm2Fate::kCopied) {
      EXPECT_NE(find_row(key_in(row.counterpart)), nullptr) << row.name;
    }
    EXPECT_FALSE(row.counterpart.empty() && row.why.empty()) << row.name << " says nothing";
  }
  EXPECT_EQ(find_pm2_row("env_production")->name, "env_NAME");
  EXPECT_EQ(find_pm2_row("err_log")->name, "error_file");
  EXPECT_EQ(find_pm2_row("max_memory_restrat"), nullptr);
}

TEST(Pm2, TheTableOfThePageIsTheImporters) {
  std::ifstream stream(std::string(GAUR_DOCS) + "/migrating.md");
  std::ostringstream page;
  page << stream.rdbuf();
  EXPECT_THAT(page.str(), HasSubstr(pm2_table())) << "docs/migrating.md must hold exactly this:\n"
                                                  << pm2_table();
}

}  // namespace
}  // namespace gaur::app
