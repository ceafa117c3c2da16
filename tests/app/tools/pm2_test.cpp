// pm2's ecosystem file: its forms, its values, its table of settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
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

TEST(Pm2, ReadsEveryFormOfTheFile) {
  const std::string app = R"({"script": "dist/worker.js"})";
  for (const std::string& text : {R"({"apps": [)" + app + "]}", R"({"apps": )" + app + "}", "[" + app + "]",
                                  app, R"({"pm2": [)" + app + "]}", "\xEF\xBB\xBF" + app}) {
    EXPECT_EQ(one(text).script, "dist/worker.js") << text;
    EXPECT_EQ(one(text).name, "worker") << "pm2 names an app after its script";
  }
}

TEST(Pm2, AcceptsCommentsAndTrailingCommas) {
  const Pm2App app = one(R"({
  // the workers
  "apps": [{ "script": "w.js", /* four of them */ "instances": 4, "args": "a // b", },],
})");
  EXPECT_EQ(app.instances, 4);
  EXPECT_THAT(app.args, ElementsAre("a", "//", "b"));
}

TEST(Pm2, ReadsValuesLikePm2) {
  const Pm2App app = one(R"({"name": "query-worker", "script": "w.js", "exec_mode": "fork", "instances": "4",
    "max_memory_restart": "1536M", "kill_timeout": 1600, "min_uptime": "1m", "listen_timeout": "3000",
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

/// peers/pm2.mjs records how pm2 7.0 reads each value.
TEST(Pm2, ReadsEverySettingLikePm2OrReportsItAsUnused) {
  std::ifstream stream(GAUR_PEERS "/pm2.json");
  std::ostringstream text;
  text << stream.rdbuf();
  const auto record = json::parse(text.str());
  ASSERT_TRUE(record);
  EXPECT_GT(record->as_array().size(), 60U);
  for (const json::Value& entry : record->as_array()) {
    const std::string shown = json::serialize(entry.at("app"));
    const Pm2App app = one(shown);
    const json::Value* read = entry.as_object().if_contains("read");
    if (read == nullptr) {
      EXPECT_EQ(app.unused.size(), 1U) << shown;
      continue;
    }
    const json::Object& pm2 = read->as_object();
    const auto number = [&](const char* name) -> std::optional<double> {
      const json::Value* value = pm2.if_contains(name);
      return value == nullptr ? std::nullopt : std::optional(value->to_number<double>());
    };
    const auto same = [&](const char* name, const auto& ours) {
      const auto theirs = number(name);
      if (!theirs || *theirs == 0) return !ours || *ours == 0;
      if (ours && static_cast<double>(*ours) == std::trunc(*theirs)) return true;
      return !ours && app.unused.size() == 1;  // out of range: reported
    };
    EXPECT_TRUE(same("max_memory_restart", app.max_memory_bytes)) << shown;
    EXPECT_TRUE(same("listen_timeout", app.listen_timeout_ms)) << shown;
    EXPECT_TRUE(same("kill_timeout", app.kill_timeout_ms)) << shown;
    EXPECT_TRUE(same("min_uptime", app.min_uptime_ms)) << shown;
    EXPECT_TRUE(same("max_restarts", app.max_restarts)) << shown;
    EXPECT_TRUE(same("instances", app.instances)) << shown;
    EXPECT_EQ(app.name, json::text_or(pm2, "name", "")) << shown;
    EXPECT_EQ(app.script, json::text_or(pm2, "script", "")) << shown;
    EXPECT_EQ(app.interpreter, json::text_or(pm2, "exec_interpreter", "")) << shown;
    EXPECT_EQ(app.cwd, json::text_or(pm2, "cwd", "")) << shown;
    for (const auto& [name, words] : {std::pair("args", &app.args), std::pair("node_args", &app.node_args)}) {
      std::vector<std::string> theirs;
      if (const json::Value* list = pm2.if_contains(name)) {
        for (const json::Value& word : list->as_array())
          theirs.push_back(word.is_string() ? std::string(word.as_string()) : json::serialize(word));
      }
      EXPECT_EQ(*words, theirs) << shown;
    }
  }
}

TEST(Pm2, ReportsUnusedValuesWithTheReason) {
  const Pm2App app = one(R"({"script": "w.js", "max_memory_restart": "1GB", "instances": "four",
    "listen_timeout": "2 min", "kill_timeout": 99999999999999, "exec": "x.js"})");
  std::map<std::string, std::string> reasons;
  for (const Pm2Unused& unused : app.unused) reasons[unused.setting] = unused.text;
  EXPECT_THAT(reasons["max_memory_restart"],
              HasSubstr("\"1GB\" was not used: pm2 rejects it; it accepts a number of bytes"));
  EXPECT_THAT(reasons["instances"], HasSubstr("pm2 reads it as 0, which means one process per core"));
  EXPECT_THAT(reasons["listen_timeout"], HasSubstr("\"2 min\" was not used"));
  EXPECT_THAT(reasons["kill_timeout"], HasSubstr("it is not between"));
  EXPECT_THAT(reasons["exec"], HasSubstr("script sets the same"));
}

TEST(Pm2, DistinguishesAppsOfTheSameName) {
  const auto apps = *parse_pm2(R"([{"name": "npm", "script": "npm", "args": "run api"},
    {"name": "npm", "script": "npm", "args": "run worker"}, {"script": "a/dist/main.js"}, {"script": "b/dist/main.js"}])");
  const auto npm = choose_pm2_app(apps, "npm");
  ASSERT_FALSE(npm);
  EXPECT_THAT(
      npm.error().message,
      HasSubstr("2 apps have the name \"npm\": npm (app 1: npm run api), npm (app 2: npm run worker)"));
  EXPECT_THAT(npm.error().message, HasSubstr("--app 1"));
  EXPECT_THAT(choose_pm2_app(apps, "2")->args, ElementsAre("run", "worker"));
  EXPECT_THAT(choose_pm2_app(apps, "").error().message,
              HasSubstr("main (app 3: a/dist/main.js), main (app 4: b/dist/main.js)"));
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

TEST(Pm2, InstancesWithoutAModeMeanClusterMode) {
  EXPECT_TRUE(one(R"({"script": "w.js", "instances": 2})").cluster);
  EXPECT_FALSE(one(R"({"script": "w.js", "instances": 2, "exec_mode": "fork"})").cluster);
  EXPECT_TRUE(one(R"({"script": "w.js", "exec_mode": "cluster_mode"})").cluster);
}

TEST(Pm2, ReportsMistakesWithTheirPlace) {
  struct Row {
    std::string text, message;
  };
  for (const Row& row :
       {Row{"{\n\"apps\": [}", "line 2"}, Row{R"({"apps": []})", "contains no app"},
        Row{R"({"apps": [{"script": "a.js"}, {"name": "b"}]})", "app 2 has no script"},
        Row{R"({"apps": ["a.js"]})", "app 1 is not an object"}, Row{"module.exports = {}", "line 1"}}) {
    const auto apps = parse_pm2(row.text);
    ASSERT_FALSE(apps) << row.text;
    EXPECT_THAT(apps.error().message, HasSubstr(row.message));
  }
}

TEST(Pm2, FindsTheWorkerAmongSeveralApps) {
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

TEST(Pm2, HasOneRowPerSettingWithItsCounterpartOrReason) {
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
    EXPECT_FALSE(row.counterpart.empty() && row.why.empty()) << row.name << " has no text";
  }
  EXPECT_EQ(find_pm2_row("env_production")->name, "env_NAME");
  EXPECT_EQ(find_pm2_row("err_log")->name, "error_file");
  EXPECT_EQ(find_pm2_row("max_memory_restrat"), nullptr);
}

TEST(Pm2, TheTableOfThePageMatches) {
  std::ifstream stream(std::string(GAUR_DOCS) + "/how-to/migrating.md");
  std::ostringstream page;
  page << stream.rdbuf();
  EXPECT_THAT(page.str(), HasSubstr(pm2_table())) << "docs/how-to/migrating.md must contain exactly this:\n"
                                                  << pm2_table();
}

}  // namespace
}  // namespace gaur::app
