// gaur.toml from .env and run.json: its content, the notes, and the secrets that it must not contain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config/config.hpp"
#include "app/config/toml_source.hpp"
#include "app/init/found.hpp"

namespace gaur::app {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEnv = R"(REDIS_HOST=query-redis
REDIS_PORT=6380
REDIS_PASSWORD=hunter2-secret
BULL_QUEUE_NAME=ncs_resource::
BULL_COUNT=1
MYSQL_HOST=db
)";
constexpr const char* kRun = R"({"apps": [{"name": "query-worker", "script": "dist/worker.js", "instances": 4,
  "exec_mode": "fork", "max_memory_restart": "2G", "kill_timeout": 1600, "max_restarts": 10, "watch": false,
  "cron_restart": "0 4 * * *", "node_args": "--max-old-space-size=4096", "cwd": "/srv/query", "colour": "red",
  "env": {"NODE_ENV": "test", "DB_PASSWORD": "hunter3-secret"}, "env_production": {"NODE_ENV": "production"}}]})";

constexpr const char* kRunOfFour = R"({"script": "w.js", "instances": 4})";

InitInputs inputs(const std::string& env, const std::string& run = "") {
  InitInputs made;
  std::vector<Problem> problems;
  made.variables = parse_dotenv(env, ".env", "", problems);
  EXPECT_TRUE(problems.empty());
  made.env_file = ".env";
  if (!run.empty()) {
    made.app = parse_pm2(run)->front();
    made.pm2_file = "run.json";
  }
  made.queues = {"query"};
  made.queues_from = "--queue";
  made.cores = 24;
  return made;
}

json::Value at(const InitDraft& draft, std::string_view path) {
  const auto document = parse_toml(draft.toml, "gaur.toml", "");
  EXPECT_TRUE(document) << (document ? "" : to_string(document.error())) << "\n" << draft.toml;
  if (!document) return nullptr;
  const json::Value root(document->root);
  const json::Value* found = json::find(root, path);
  return found == nullptr ? json::Value(nullptr) : *found;
}

auto note(InitNote::Kind kind, const std::string& where, const std::string& text) {
  return Contains(AllOf(Field(&InitNote::kind, kind), Field(&InitNote::where, HasSubstr(where)),
                        Field(&InitNote::text, HasSubstr(text))));
}

TEST(Draft, ConvertsTheFilesOfABullDeployment) {
  const InitDraft draft = draft_configuration(inputs(kEnv, kRun));
  EXPECT_EQ(at(draft, "store.url"), "redis://query-redis:6380");
  EXPECT_EQ(at(draft, "store.prefix"), "ncs_resource::");
  EXPECT_EQ(at(draft, "store.dialect"), "bull");
  EXPECT_EQ(at(draft, "worker.count"), 1);
  EXPECT_EQ(at(draft, "worker.instances"), 4);
  EXPECT_EQ(at(draft, "queues.query.order"), "fifo");
  EXPECT_EQ(at(draft, "queues.query.function"), "data.func");
  EXPECT_EQ(at(draft, "pools.node.folder"), "/srv/query");
  EXPECT_EQ(at(draft, "pools.node.max_rss"), "2GiB");
  EXPECT_EQ(json::serialize(at(draft, "pools.node.command")),
            R"(["node","--max-old-space-size=4096","dist/runner.js"])");
  EXPECT_EQ(at(draft, "pools.node.env.NODE_ENV"), "test");
}

TEST(Draft, EachValueHasItsOriginAsAComment) {
  const InitDraft draft = draft_configuration(inputs(kEnv, kRun));
  EXPECT_THAT(draft.toml,
              HasSubstr("url = \"redis://query-redis:6380\"  # .env:1 REDIS_HOST, .env:2 REDIS_PORT"));
  EXPECT_THAT(draft.toml, HasSubstr("prefix = \"ncs_resource::\"  # .env:4 BULL_QUEUE_NAME"));
  EXPECT_THAT(draft.toml, HasSubstr("count = 1  # .env:5 BULL_COUNT"));
  EXPECT_THAT(draft.toml, HasSubstr("instances = 4  # run.json instances"));
}

TEST(Draft, SecretsAreReportedAndNotCopied) {
  const InitDraft draft = draft_configuration(inputs(kEnv, kRun));
  EXPECT_THAT(draft.toml, Not(HasSubstr("hunter2-secret")));
  EXPECT_THAT(draft.toml, Not(HasSubstr("hunter3-secret")));
  for (const InitNote& note : draft.notes) EXPECT_THAT(note.text, Not(HasSubstr("hunter")));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kSecret, ".env:3 REDIS_PASSWORD", "store.password_file"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kSecret, "run.json env.DB_PASSWORD", "is not copied"));
  InitInputs by_url = inputs("REDIS_URL=rediss://app:hunter2-secret@managed:6380/2\n");
  const InitDraft from_url = draft_configuration(by_url);
  EXPECT_EQ(at(from_url, "store.url"), "rediss://app@managed:6380/2");
  EXPECT_THAT(from_url.toml, Not(HasSubstr("hunter2")));
  by_url = inputs("REDIS_URL=redis://:hunter2-secret@managed\n");
  EXPECT_EQ(at(draft_configuration(by_url), "store.url"), "redis://managed:6379");
}

TEST(Draft, ReportsSettingsWithoutACounterpartWithTheReason) {
  const InitDraft draft = draft_configuration(inputs(kEnv, kRun));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kNone, "run.json: watch", "would end queries"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kUnknown, "run.json: colour", "is not a setting of pm2 7"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kChanges, "run.json: cron_restart", "replaced by age"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kChanges, "run.json: max_restarts", "keeps trying"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kChanges, "run.json: kill_timeout", "killed queries"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kTodo, "env_production", "--pm2-env production"));
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kTodo, ".env", "MYSQL_HOST is not read by Gaur"));
  EXPECT_THAT(draft.toml, HasSubstr("#   run.json: watch: "));
}

TEST(Draft, VariablesOfPm2OverrideThoseOfTheFile) {
  const InitDraft draft = draft_configuration(
      inputs(kEnv, R"({"script": "w.js", "instances": 3, "env": {"BULL_COUNT": 2, "REDIS_HOST": "other"}})"));
  EXPECT_EQ(at(draft, "store.url"), "redis://other:6380");
  EXPECT_EQ(at(draft, "worker.count"), 2);
  EXPECT_EQ(at(draft, "pools.node.env"), json::Value(nullptr))
      << "variables that Gaur reads are not in the runner's environment";
}

TEST(Draft, CountAndInstancesAreSeparateKeys) {
  struct Row {
    std::string env, run, count, instances;
  };
  for (const Row& row :
       {Row{"BULL_COUNT=0\n", R"({"script": "w.js", "instances": 4})", "0", "4"},
        Row{"BULL_QUEUE_COUNT=2\n", R"({"script": "w.js", "instances": 4})", "2", "4"},
        Row{"BULL_COUNT=1\n", R"({"script": "w.js", "instances": "max"})", "1", "24"},
        Row{"BULL_COUNT=1\n", R"({"script": "w.js", "instances": -4})", "1", "20"},
        Row{"BULL_COUNT=two\n", "", "1", "null"}, Row{"A=1\n", R"({"script": "w.js"})", "null", "1"}}) {
    const InitDraft draft = draft_configuration(inputs(row.env, row.run));
    EXPECT_EQ(json::serialize(at(draft, "worker.count")), row.count) << row.env << row.run;
    EXPECT_EQ(json::serialize(at(draft, "worker.instances")), row.instances) << row.env << row.run;
  }
  EXPECT_THAT(draft_configuration(inputs("BULL_COUNT=two\n")).notes,
              note(InitNote::Kind::kTodo, ".env:1 BULL_COUNT", "is not a whole number: \"two\""));
}

struct Checked {
  Settings settings;
  Config config;
};

/// Loads the draft like `gaur check`. Problems fail the test.
Checked checked(const InitDraft& draft) {
  Checked read;
  const auto document = parse_toml(draft.toml, "gaur.toml", "");
  EXPECT_TRUE(document) << (document ? "" : to_string(document.error())) << "\n" << draft.toml;
  if (!document) return read;
  read.settings.put({}, document->root, {}, false, &document->origins);
  read.config = make_config(
      read.settings, ".", {.cores = 24, .memory_bytes = 128'000'000'000, .cores_from = {}, .memory_from = {}},
      "host1");
  for (const Problem& problem : read.settings.problems())
    ADD_FAILURE() << to_string(problem) << "\n" << draft.toml;
  return read;
}

TEST(Draft, ADraftIsAConfigurationWithoutProblems) {
  const Config config =
      checked(draft_configuration(inputs(kEnv, R"({"script": "w.js", "instances": 4})"))).config;
  EXPECT_EQ(config.slots.slots, 4U);
  EXPECT_EQ(config.queues.at("query").function_field, "func");
  EXPECT_EQ(config.redis->prefix, "ncs_resource::");
}

KeptJob job_of(const std::string& name, const std::string& data, State state = State::kCompleted) {
  KeptJob kept;
  kept.job.name = name;
  kept.job.data = data;
  kept.job.state = state;
  return kept;
}

TEST(Draft, ADraftFromFoundQueuesIsAConfigurationWithoutProblems) {
  const KeptJob named = job_of("rank", "{}");
  const KeptJob unnamed = job_of("__default__", R"({"func":"rank"})", State::kWaiting);
  const KeptJob other = job_of("__default__", R"({"func":"top"})");
  const KeptJob bare = job_of("__default__", R"({"n":1})");
  KeptJob ages = job_of("ages", "{}");
  ages.job.processed_on = from_ms(0);
  ages.job.finished_on = from_ms(4'000'000'000'000);
  struct Shape {
    const char* what;
    std::vector<QueueJobs> found;
    /// Of each queue; "" is the job's name.
    std::vector<std::string> fields;
    /// Of each function; "" if there is only one queue.
    std::map<std::string, std::string> queues;
  };
  for (const Shape& shape : std::vector<Shape>{
           {"one function in 2 queues", {{"a", {named}}, {"b", {named, named}}}, {"", ""}, {{"rank", "b"}}},
           {"named and unnamed mixed",
            {{"a", {named, unnamed, other}}},
            {"func"},
            {{"rank", ""}, {"top", ""}}},
           {"one queue named, one unnamed",
            {{"a", {named}}, {"b", {other}}},
            {"", "func"},
            {{"rank", "a"}, {"top", "b"}}},
           {"only named", {{"a", {named, named}}}, {""}, {{"rank", ""}}},
           {"only unnamed", {{"a", {unnamed, other}}}, {"func"}, {{"rank", ""}, {"top", ""}}},
           {"neither name nor field", {{"a", {bare}}, {"b", {}}}, {"", "func"}, {{"__default__", "a"}}},
           {"no jobs", {{"a", {}}, {"b", {}}}, {"func", "func"}, {}},
           {"no queues", {}, {}, {}},
           {"a run of 126 years", {{"a", {ages}}}, {""}, {{"ages", ""}}},
           {"odd names",
            {{"mail:high", {job_of("a.b \"c\"", "{}")}}, {"안녕", {}}},
            {"", "func"},
            {{"a.b \"c\"", "mail:high"}}},
           {"a queue whose name is too long",
            {{std::string(500, 'x'), {named}}, {"a", {named}}},
            {""},
            {{"rank", ""}}}}) {
    for (const char* run : {"", kRunOfFour}) {
      SCOPED_TRACE(shape.what);
      InitInputs given = inputs(kEnv, run);
      put_found(given, shape.found);
      const Config config = checked(draft_configuration(given)).config;
      std::size_t at = 0;
      for (const std::string& queue : given.queues)
        EXPECT_EQ(config.queues.at(queue).function_field, shape.fields.at(at++)) << queue;
      EXPECT_EQ(config.functions.size(), shape.queues.size());
      for (const auto& [function, queue] : shape.queues)
        EXPECT_EQ(config.functions.at(function).queue, queue.empty() ? given.queues.front() : queue)
            << function;
    }
  }
}

TEST(Draft, NotesNamedJobsWithAnotherFuncInTheirData) {
  InitInputs given = inputs(kEnv);
  put_found(given,
            {{"a", {job_of("rank", R"({"func":"top"})"), job_of("__default__", R"({"func":"top"})")}}});
  EXPECT_THAT(draft_configuration(given).notes,
              note(InitNote::Kind::kTodo, "queues.a.function",
                   "1 of the jobs that were read have a name and another func"));
}

TEST(Draft, WritesAQueueThatIsGivenTwiceOnce) {
  InitInputs given = inputs(kEnv);
  given.queues = {"a", "a"};
  checked(draft_configuration(given));
}

TEST(Draft, HostileValuesStayInsideTheirStrings) {
  InitInputs given =
      inputs("REDIS_HOST=a\"\\nb\nBULL_QUEUE_NAME='x]\\\\\"\ty'\n",
             R"({"script": "w\n[evil]\nx=1.js", "cwd": "C:\\\"x", "env": {"A B\n[c]": "\u0000\n\"\"\""}})");
  given.queues = {"a.b \"c\"", "안녕"};
  const InitDraft draft = draft_configuration(given);
  EXPECT_EQ(at(draft, "store.prefix"), "x]\\\\\"\ty");
  EXPECT_EQ(at(draft, "pools.node.folder"), "C:\\\"x");
  EXPECT_EQ(at(draft, "evil"), json::Value(nullptr));
  EXPECT_EQ(at(draft, "queues").as_object().size(), 2U);
}

TEST(Draft, FoundFunctionsGetATableAndATimeoutFromTheirRuns) {
  InitInputs given = inputs(kEnv, kRun);
  given.functions = {{"rank", 320, Duration(412'000)}, {"top.words", 4, std::nullopt}};
  const InitDraft draft = draft_configuration(given);
  EXPECT_EQ(at(draft, "functions.rank.timeout"), "21m");
  EXPECT_EQ(at(draft, "functions.rank.pool"), "node");
  EXPECT_THAT(draft.toml, HasSubstr("[functions.\"top.words\"]"));
}

TEST(Draft, WritesAndReportsAPlaceholderWithoutAQueue) {
  InitInputs given = inputs(kEnv);
  given.queues.clear();
  const InitDraft draft = draft_configuration(given);
  EXPECT_EQ(at(draft, "queues.query.order"), "fifo");
  EXPECT_THAT(draft.notes, note(InitNote::Kind::kTodo, "[queues.query]", "no queue was given"));
}

}  // namespace
}  // namespace gaur::app
