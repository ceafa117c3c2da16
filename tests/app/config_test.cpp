#include "app/config/config.hpp"

#include <gmock/gmock.h>

#include "config_fixture.hpp"

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kWhole = R"([store]
url = "embedded:./jobs"
durability = "relaxed"
[queues.query]
order = "fifo"
function = "data.func"
[pools.sql]
kind = "duckdb"
[pools.sql.duckdb]
data = ["./sample", "/abs"]
[functions.top]
pool = "sql"
needs = { cores = 2, memory = "1.5GB" }
timeout = "90s"
sql = "SELECT $day"
[functions.top.params]
day = { type = "date", required = true }
)";

TEST_F(ConfigTest, ReadsAWholeFile) {
  put("gaur.toml", kWhole);
  const Config config = make();
  EXPECT_TRUE(settings_.problems().empty());
  EXPECT_EQ(config.data_folder, folder_ / "jobs");
  EXPECT_TRUE(config.relaxed);
  EXPECT_FALSE(config.queues.at("query").backfill);
  EXPECT_EQ(config.queues.at("query").function_field, "func");
  EXPECT_TRUE(config.pools.at("sql").duckdb);
  EXPECT_EQ(config.pools.at("sql").folder, folder_);
  const FunctionConfig& top = config.functions.at("top");
  EXPECT_EQ(top.queue, "query");  // the only queue
  EXPECT_EQ(top.cores, 2);
  EXPECT_EQ(top.memory_bytes, 1'500'000'000U);
  EXPECT_EQ(top.timeout, Duration(90'000));
  EXPECT_EQ(top.queue_timeout, std::nullopt);
  EXPECT_EQ(top.params, R"({"day":{"required":true,"type":"date"}})");
  EXPECT_EQ(config.slots.slots, 4U);
  EXPECT_THAT(config.worker_name, testing::MatchesRegex("host1-[0-9a-f]{8}"));
}

TEST_F(ConfigTest, TheWorkerNameIsStableAndDependsOnTheDataFolder) {
  const std::string first = make().worker_name;
  EXPECT_EQ(make().worker_name, first);
  layers_.flags = {"--store.url=embedded:elsewhere"};
  EXPECT_NE(make().worker_name, first);
}

TEST_F(ConfigTest, RejectsAFormerDefaultDataFolderInsteadOfMakingANewStore) {
  EXPECT_EQ(make().data_folder.filename(), "gaur-data");
  std::filesystem::create_directories(folder_ / "data");
  put("data/events.csv", "a folder that Gaur did not write");
  EXPECT_THAT(problems(), IsEmpty());
  put("data/gaur.lock", "");
  EXPECT_THAT(problems(), ElementsAre(testing::AllOf(HasSubstr("store.url: ./data holds Gaur's data"),
                                                     HasSubstr("mv data gaur-data"))));
  put("gaur.toml", "[store]\nurl = \"embedded:./data\"\n");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(make().data_folder.lexically_normal(), folder_ / "data");
  put("gaur.toml", "[store]\nurl = \"redis://h\"\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("keep it with server.data = \"./data\"")));
  layers_.flags = {"--server.data=./data"};
  EXPECT_THAT(problems(), IsEmpty());
  layers_.flags = {};
  std::filesystem::create_directories(folder_ / "gaur-data");
  put("gaur-data/gaur.lock", "");
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(ConfigTest, RejectsAQueryWithLessThanOneCore) {
  std::string text = kWhole;
  text.replace(text.find("cores = 2"), 9, "cores = 0.5");
  put("gaur.toml", text);
  make();
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("functions.top.needs.cores: must be at least 1")));
}

TEST_F(ConfigTest, ReportsAllMistakesAtOnceWithFileAndLine) {
  put("gaur.toml", R"([server]
listen = "127.0.0.1:99999"
[queues.query]
order = "backfil"
[pools.sql]
kind = "duckdb"
[functions.top]
pool = "sq"
tiemout = "5s"
sql = "SELECT 1"
)");
  EXPECT_THAT(
      problems(),
      ElementsAre(
          "gaur.toml:2:1: server.listen: takes ADDRESS:PORT with a port up to 65535, not \"127.0.0.1:99999\"",
          "gaur.toml:4:1: queues.query.order: takes `fifo`, `backfill` or `auto`, not \"backfil\"; did you "
          "mean "
          "\"backfill\"?",
          "gaur.toml:8:1: functions.top.pool: there is no pool \"sq\"; did you mean \"sql\"?",
          "gaur.toml:9:1: functions.top.tiemout: unknown key; did you mean \"timeout\"?"));
}

TEST_F(ConfigTest, RejectsValuesOfTheWrongKind) {
  put("gaur.toml", R"([server]
stop_timeout = 30
log_level = 3
[machine]
cores = 0
memory = "lots"
slots = -1
[queues.q]
max_waiting = "many"
weight = true
[pools]
sql = 5
)");
  const auto lines = problems();
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_EQ(lines[0], "gaur.toml:2:1: server.stop_timeout: needs a unit: \"30s\" or \"30ms\"?");
  EXPECT_THAT(lines[1], HasSubstr("server.log_level: takes `debug`, `info`, `warn`, `error`, not 3"));
  EXPECT_THAT(lines[2], HasSubstr("machine.cores: must be above 0, was 0"));
  EXPECT_THAT(lines[3], HasSubstr("machine.memory: \"lots\" is not a size"));
  EXPECT_THAT(lines[4], HasSubstr("machine.slots: takes whole number or `auto`, not -1"));
  EXPECT_THAT(lines[5], HasSubstr("queues.q.max_waiting: takes whole number, not \"many\""));
  EXPECT_THAT(lines[6], HasSubstr("queues.q.weight: takes number, not true"));
  EXPECT_THAT(lines[7], HasSubstr("pools.sql: is a table, not 5"));
}

TEST_F(ConfigTest, RejectsANegativeNumberInEveryKeyByName) {
  std::string text;
  std::vector<std::string> keys;
  for (const KeyRow& row : schema()) {
    const bool number = row.kind == Kind::kWhole || row.kind == Kind::kNumber || row.kind == Kind::kSize ||
                        row.kind == Kind::kDuration;
    if (!number) continue;
    std::string key(row.path);
    if (const auto star = key.find('*'); star != std::string::npos) key.replace(star, 1, "x");
    keys.push_back(key);
  }
  ASSERT_GT(keys.size(), 30U);
  for (const std::string given : {"-5", "\"-5s\"", "\"-5MB\"", "-9223372036854775808", "-0.5"}) {
    text.clear();
    for (const std::string& key : keys) text += key + " = " + given + "\n";
    put("gaur.toml", text);
    const auto lines = problems();
    for (const std::string& key : keys)
      EXPECT_THAT(lines, testing::Contains(HasSubstr(": " + key + ": "))) << given;
  }
  put("gaur.toml", "");
  for (const std::string& key : keys) {
    layers_.flags = {"--" + key + "=-5"};
    EXPECT_THAT(problems(), testing::Contains(HasSubstr(key + ": "))) << "as an option";
  }
}

TEST_F(ConfigTest, RejectsNumbersThatLoseDigitsBesideAllOtherProblems) {
  put("gaur.toml", R"~([queues.q]
weight = 1.5
[functions.f.params]
"가" = { type = "double", min = 0.1, max = 1_000.5e3 }
b = { "가" = 0.5, type = "decimal(18,4)", max = 12345678901234.5678 }
[queues.r]
weight = 0.12345678901234567890
ordr = "fifo"
)~");
  const auto lines = problems();
  using testing::Contains;
  EXPECT_THAT(lines, testing::SizeIs(5));
  EXPECT_THAT(lines, Contains(HasSubstr("functions.f: has no pool")));
  EXPECT_THAT(lines, Contains(HasSubstr("functions.f.queue: is missing")));
  EXPECT_THAT(lines, Contains(HasSubstr("queues.r.weight: 0.12345678901234567890 has more digits")));
  EXPECT_THAT(lines, Contains(HasSubstr("queues.r.ordr: unknown key")));
  EXPECT_THAT(
      lines, Contains(HasSubstr(
                 "functions.f.params.b.max: 12345678901234.5678 has more digits than a double can represent; "
                 "write it in quotes")));
  EXPECT_THAT(lines, Contains(testing::StartsWith("gaur.toml:5:")));
}

TEST_F(ConfigTest, AttemptsCountTheFirstRun) {
  put("gaur.toml", R"([queues.q]
[pools.p]
command = ["sh"]
[functions.none]
pool = "p"
attempts = 0
[functions.many]
pool = "p"
attempts = 4294967297
)");
  EXPECT_THAT(
      problems(),
      testing::ElementsAre(
          "gaur.toml:6:1: functions.none.attempts: a whole number from 1 to 1000000 is expected, was 0; it "
          "counts the first run as well",
          "gaur.toml:9:1: functions.many.attempts: a whole number from 1 to 1000000 is expected, was "
          "4294967297; it counts the first run as well"));
}

TEST_F(ConfigTest, ReportsEveryProblemOfAKey) {
  put("gaur.toml", R"([server]
listen = "example:99999"
[queues.q]
[pools.p]
command = ["sh"]
env = { A = 1, B = "b", C = true }
)");
  const auto lines = problems();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("port up to 65535"));
  EXPECT_THAT(lines[1], HasSubstr("\"example\" is not an address"));
  EXPECT_THAT(lines[2], HasSubstr("A must be text, was 1; C must be text, was true"));
}

TEST_F(ConfigTest, UnknownAppliesToRedisStoresOnly) {
  const std::string queue = "[queues.q]\nunknown = \"fail\"\n";
  put("gaur.toml", queue);
  EXPECT_THAT(problems(), testing::ElementsAre(
                              "gaur.toml:2:1: queues.q.unknown: applies to Redis stores only; an embedded "
                              "store rejects jobs of functions that are not configured when they are "
                              "added: remove this key"));
  put("gaur.toml", "[store]\nurl = \"redis://127.0.0.1\"\n" + queue);
  EXPECT_THAT(problems(), testing::IsEmpty());
  EXPECT_TRUE(make().queues.at("q").take_unknown);
}

TEST_F(ConfigTest, RejectsReferencesToMissingTables) {
  put("gaur.toml", R"([queues.a]
[queues.b]
function = "func"
[pools.node]
command = ["./no-such-runner"]
[pools.empty]
[pools.sql]
kind = "duckdb"
command = ["x"]
[functions.one]
pool = "sql"
[functions.two]
pool = "node"
queue = "c"
sql = "SELECT 1"
[functions.three]
queue = "a"
timeout = 0
)");
  EXPECT_THAT(
      problems(),
      ElementsAre(
          "gaur.toml:3:1: queues.b.function: takes \"name\" or \"data.FIELD\", not \"func\"",
          "gaur.toml:5:1: pools.node.command: " + (folder_ / "./no-such-runner").string() +
              " is not an executable program",
          "gaur.toml:6:1: pools.empty.command: is missing: a pool of kind \"command\" needs the program that "
          "its runners run",
          "gaur.toml:9:1: pools.sql.command: a pool of kind \"duckdb\" has its own program",
          "gaur.toml:10:1: functions.one: has no SQL: set sql or sql_file",
          "gaur.toml:10:1: functions.one.queue: is missing, and there are several queues to choose from",
          "gaur.toml:14:1: functions.two.queue: there is no queue \"c\"; known here: a, b",
          "gaur.toml:15:1: functions.two.sql: applies to pools of kind \"duckdb\" only",
          "gaur.toml:16:1: functions.three: has no pool: say which one runs it",
          "gaur.toml:18:1: functions.three.timeout: must be above 0: a run without a timeout could keep its "
          "resources for ever"));
}

TEST_F(ConfigTest, RejectsAnUnreadableSqlFileByKeyAndFile) {
  const auto text = [](const std::string& file) {
    return "[queues.q]\n[pools.sql]\nkind = \"duckdb\"\n[functions.top]\npool = \"sql\"\nsql_file = \"" +
           file + "\"\n";
  };
  constexpr const char* kAdvice = "; use a regular file of at most 8 MiB that this user can read";
  std::filesystem::create_directories(folder_ / "top.sql");
  put("gaur.toml", text("top.sql"));
  EXPECT_THAT(problems(), ElementsAre("gaur.toml:6:1: functions.top.sql_file: cannot read " +
                                      (folder_ / "top.sql").string() + ": Is a directory" + kAdvice));
  put("gaur.toml", text("/proc/self/mem"));  // can be opened; reading fails
  EXPECT_THAT(problems(),
              ElementsAre(std::string("gaur.toml:6:1: functions.top.sql_file: cannot read /proc/self/mem: "
                                      "Input/output error") +
                          kAdvice));
  put("one.sql", "SELECT 1");
  put("gaur.toml", text("one.sql"));
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(make().functions.at("top").file_sql.value(), "SELECT 1");
}

TEST_F(ConfigTest, AnAddressOtherThanLoopbackNeedsAToken) {
  put("gaur.toml", "[server]\nlisten = \"0.0.0.0:80\"\n");
  EXPECT_THAT(problems(),
              ElementsAre("gaur.toml:2:1: server.listen: 0.0.0.0 is reachable from other machines, so "
                          "server.token_file must be set"));
  put("token", "0123456789abcdef\n");
  put("gaur.toml", "[server]\nlisten = \"0.0.0.0:80\"\ntoken_file = \"token\"\n");
  EXPECT_TRUE(problems().empty());
  EXPECT_EQ(make().token, "0123456789abcdef");
  put("token", "short\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("the token is shorter than 16 bytes")));
}

TEST_F(ConfigTest, RejectsEveryTokenFileWithoutAToken) {
  put("gaur.toml", "[server]\ntoken_file = \"token\"\n");
  const std::string path = (folder_ / "token").string();
  const std::string at = "gaur.toml:2:1: server.token_file: ";
  const auto problem_with = [&](const std::string& text) {
    put("token", text);
    return problems();
  };
  const std::string do_this = "; write the secret alone on the first line";
  EXPECT_THAT(problem_with(""), ElementsAre(at + path + " is empty" + do_this));
  EXPECT_THAT(problem_with("\n\n\n"), ElementsAre(at + path + " is empty" + do_this));
  EXPECT_THAT(problem_with("\r\n"), ElementsAre(at + path + " is empty" + do_this));
  EXPECT_THAT(problem_with("\n0123456789abcdef\n"),
              ElementsAre(at + path + " has an empty first line" + do_this));
  EXPECT_THAT(problem_with(" \t \n0123456789abcdef\n"),
              ElementsAre(at + path + " has an empty first line" + do_this));
  EXPECT_THAT(problem_with(std::string("0123456789abcdef\0x\n", 19)),
              ElementsAre(at + path + " has a NUL byte" + do_this));
  EXPECT_THAT(problem_with("0123456789abcdef \n"), ElementsAre(HasSubstr("the token has spaces")));
  EXPECT_THAT(problem_with("\xEF\xBB\xBF"
                           "0123456789abcdef\n"),
              ElementsAre(HasSubstr("visible ASCII")));
  EXPECT_THAT(problem_with(std::string(70'000, 'x')), ElementsAre(at + path + " has more than 65536 bytes"));
  EXPECT_THAT(problem_with("0123456789abcdef\r\n"), IsEmpty());
  EXPECT_EQ(make().token, "0123456789abcdef");
  std::filesystem::remove(folder_ / "token");
  EXPECT_THAT(problems(), ElementsAre(at + "cannot read " + path + ": No such file or directory"));
  std::filesystem::create_directory(folder_ / "token");
  EXPECT_THAT(problems(), ElementsAre(at + "cannot read " + path + ": Is a directory"));
}

TEST_F(ConfigTest, SharesScratchSpaceAmongSlots) {
  const std::string pool = "[pools.p]\ncommand = [\"/bin/true\"]\n";
  put("gaur.toml", "[machine]\nslots = 4\nspill = \"1GB\"\n" + pool);
  Config config = make();
  EXPECT_EQ(config.scratch_bytes, 2'000'000'000U);
  EXPECT_EQ(config.pools.at("p").max_scratch, 500'000'000U);
  EXPECT_EQ(config.pools.at("p").max_file, 0U);
  put("gaur.toml",
      "[machine]\nslots = 4\nscratch = \"100MB\"\n" + pool + "max_scratch = \"7MB\"\nmax_file = \"1MB\"\n");
  config = make();
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(config.spill_bytes, 50'000'000U);
  EXPECT_EQ(config.pools.at("p").max_scratch, 7'000'000U);
  EXPECT_EQ(config.pools.at("p").max_file, 1'000'000U);
  put("gaur.toml", "[machine]\nspill = \"0\"\n" + pool);
  config = make();
  EXPECT_EQ(config.scratch_bytes, 0U);
  EXPECT_EQ(config.pools.at("p").max_scratch, 0U);
  for (const char* spill : {"0", "101MB"}) {
    put("gaur.toml", std::string("[machine]\nscratch = \"100MB\"\nspill = \"") + spill + "\"\n");
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("machine.spill: must be at most machine.scratch")));
  }
}

TEST_F(ConfigTest, ReadsNamedTokens) {
  put("server", "server-0123456789\n");
  put("view", "view-new-0123456789\nview-old-0123456789\n");
  put("gaur.toml", R"([server]
token_file = "server"
listen = "0.0.0.0:80"
[queues.q]
[tokens.view]
token_file = "view"
rights = ["view", "ad-hoc"]
queues = ["q"]
)");
  const Config config = make();
  EXPECT_THAT(problems(), IsEmpty());
  ASSERT_EQ(config.tokens.size(), 2U);
  EXPECT_EQ(config.tokens[0].name, "server.token");
  EXPECT_TRUE(config.tokens[0].has(http::Right::kOperate));
  const http::TokenGrant& view = config.tokens[1];
  EXPECT_EQ(view.name, "view");
  EXPECT_THAT(view.secrets, ElementsAre("view-new-0123456789", "view-old-0123456789"));
  EXPECT_THAT(view.rights, ElementsAre(http::Right::kView, http::Right::kAdHoc));
  EXPECT_THAT(view.queues, ElementsAre("q"));
  EXPECT_EQ(config.token, "server-0123456789");
  EXPECT_EQ(config.token_file, folder_ / "server");
  EXPECT_EQ(config.token_files.size(), 2U);
}

TEST_F(ConfigTest, NamesEachMistakeInATokenTable) {
  put("good", "good-0123456789abcdef\n");
  put("three", "one-0123456789abcdef\ntwo-0123456789abcdef\nthree-0123456789abcdef\n");
  put("gaur.toml", R"([queues.q]
[tokens.none]
rights = ["view"]
[tokens.norights]
token_file = "good"
[tokens.typo]
token_file = "good"
rights = ["veiw"]
queues = ["qq"]
[tokens.three]
token_file = "three"
rights = ["view"]
[tokens.empty]
token_file = ""
rights = ["view"]
functions = []
)");
  EXPECT_THAT(
      problems(),
      ElementsAre("gaur.toml:2:1: tokens.none: has no token_file",
                  "gaur.toml:4:1: tokens.norights: has no rights; name some of view, call, ad-hoc, operate, "
                  "admin in `rights`",
                  HasSubstr("tokens.typo.token_file: has the same token as norights"),
                  HasSubstr("tokens.typo.rights: there is no right \"veiw\"; did you mean \"view\""),
                  HasSubstr("tokens.typo.queues: there is no queue \"qq\""),
                  HasSubstr("tokens.three.token_file: has 3 lines"),
                  HasSubstr("tokens.empty.token_file: names no file"),
                  HasSubstr("tokens.empty.functions: is empty; remove the key to allow all")));
}

TEST_F(ConfigTest, RejectsATokenThatIsSetToNothing) {
  put("token", "0123456789abcdef\n");
  put("gaur.toml", "[server]\ntoken_file = \"token\"\n");
  layers_.environment = {{"GAUR_SERVER_TOKEN_FILE", ""}};
  EXPECT_THAT(problems(),
              ElementsAre("GAUR_SERVER_TOKEN_FILE: server.token_file: names no file; name one, or "
                          "remove the key"));
  layers_.environment = {{"GAUR_SERVER_TOKEN", ""}};
  EXPECT_THAT(problems(),
              ElementsAre("GAUR_SERVER_TOKEN: server.token: the token is empty; remove the key to "
                          "use no token"));
  layers_.environment = {};
  layers_.flags = {"--server.token_file="};
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("names no file")));
  layers_.flags = {};
  put("gaur.toml", "[server]\ntoken_file = \"\"\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("names no file")));
}

TEST_F(ConfigTest, RejectsAPasswordFileWithoutAPassword) {
  put("gaur.toml", "[store]\nurl = \"redis://127.0.0.1\"\npassword_file = \"password\"\n");
  put("password", "\nsecret\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("store.password_file: " + (folder_ / "password").string() +
                                                " has an empty first line")));
  put("password", "two words\n");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(make().redis->endpoint.password, "two words");
}

}  // namespace
}  // namespace gaur::app
