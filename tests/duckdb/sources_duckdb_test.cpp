// Files that are replaced, removed or overwritten between two jobs.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "duckdb/instance.hpp"
#include "runner_process.hpp"

namespace gaur::test {
namespace {

namespace fs = std::filesystem;

class ReplacedSources : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::create_directories(root_.path() / "data");
    fs::create_directories(root_.path() / "made");
  }
  fs::path path(const std::string& name) const { return root_.path() / name; }

  /// Runs statements on a database file, or in memory for "".
  void write(const std::string& file, const std::vector<std::string>& statements,
             const std::function<void()>& while_open = {}) {
    static const auto api = *duckdb::load_library({});
    duckdb::Database database(api->close);
    duckdb::Connection connection(api->disconnect);
    char* error = nullptr;
    ASSERT_EQ(api->open_ext(file.empty() ? nullptr : path(file).c_str(), database.out(), nullptr, &error),
              DuckDBSuccess)
        << error;
    ASSERT_EQ(api->connect(database.get(), connection.out()), DuckDBSuccess);
    for (const auto& each : statements) {
      const auto done = duckdb::execute(*api, connection.get(), each);
      ASSERT_TRUE(done) << each << done.error().message;
    }
    if (while_open) while_open();
  }
  void write_database(const std::string& file, int value) {
    fs::remove(path(file));
    write(file, {"CREATE TABLE t AS SELECT " + std::to_string(value) + " AS a"});
  }
  std::string spec(json::Object more = {}) {
    json::Object spec{
        {"root", root_.path().string()},
        {"data", json::Array{"data"}},
        {"ad_hoc", true},
        {"sandbox", GetParam()},
        {"functions",
         json::Object{{"t", json::Object{{"sql", "SELECT a FROM t"}, {"envelope", false}}},
                      {"parquet", json::Object{{"sql", "SELECT max(a) AS a FROM 'data/x.parquet'"},
                                               {"envelope", false}}},
                      {"sql", json::Object{{"ad_hoc", true}, {"envelope", false}}}}}};
    for (auto& member : more) spec[member.key()] = member.value();
    return json::serialize(spec);
  }
  /// The value that a function returns, or its failure's code.
  static std::string answer(RunnerProcess& runner, const std::string& function = "t") {
    const auto outcome = runner.call(function, json::Object{{"sql", "SELECT a FROM t"}});
    if (json::text_or(outcome, "type", "") != "completed") return json::text_or(outcome, "code", "gone");
    return json::serialize(outcome.at("result").at(0).at("a"));
  }
  TempFolder root_;
};

TEST_P(ReplacedSources, ReadsADatabaseThatWasMovedOverTheOldOne) {
  write_database("my.duckdb", 1);
  write_database("new.duckdb", 2);
  RunnerProcess runner(spec({{"database", "my.duckdb"}}));
  EXPECT_EQ(answer(runner), "1");
  fs::rename(path("new.duckdb"), path("my.duckdb"));
  EXPECT_EQ(answer(runner), "2");
  EXPECT_EQ(answer(runner, "sql"), "2");
  write_database("new.duckdb", 3);
  fs::rename(path("my.duckdb"), path("old.duckdb"));  // the open file remains under another name
  fs::rename(path("new.duckdb"), path("my.duckdb"));
  EXPECT_EQ(answer(runner), "3");
}

TEST_P(ReplacedSources, ReadsADatabaseThatWasWrittenOver) {
  write_database("my.duckdb", 1);
  write_database("new.duckdb", 2);
  RunnerProcess runner(spec({{"database", "my.duckdb"}}));
  EXPECT_EQ(answer(runner), "1");
  write_file(path("my.duckdb"), read_file(path("new.duckdb")));  // as cp does: the same inode
  EXPECT_EQ(answer(runner), "2");
}

TEST_P(ReplacedSources, FollowsAChangedLink) {
  write_database("v1.duckdb", 1);
  write_database("v2.duckdb", 2);
  fs::create_symlink("v1.duckdb", path("my.duckdb"));
  RunnerProcess runner(spec({{"database", "my.duckdb"}}));
  EXPECT_EQ(answer(runner), "1");
  fs::create_symlink("v2.duckdb", path("next"));
  fs::rename(path("next"), path("my.duckdb"));
  EXPECT_EQ(answer(runner), "2");
}

TEST_P(ReplacedSources, ReadsAnAttachedDatabaseThatWasReplaced) {
  write_database("data/other.duckdb", 1);
  write_database("new.duckdb", 2);
  RunnerProcess runner(spec(
      {{"setup", json::Array{"ATTACH 'data/other.duckdb' AS o (READ_ONLY)", "CREATE VIEW t AS FROM o.t"}}}));
  EXPECT_EQ(answer(runner), "1") << runner.last_line;
  fs::rename(path("new.duckdb"), path("data/other.duckdb"));
  EXPECT_EQ(answer(runner), "2");
}

TEST_P(ReplacedSources, ReadsALogThatAppearsBesideTheDatabase) {
  write("made/my.duckdb",
        {"CREATE TABLE t AS SELECT 1 AS a", "CHECKPOINT", "SET wal_autocheckpoint = '1TB'",
         "UPDATE t SET a = 2"},
        [&] {
          fs::copy_file(path("made/my.duckdb"), path("my.duckdb"));
          fs::copy_file(path("made/my.duckdb.wal"), path("my.log"));
        });
  RunnerProcess runner(spec({{"database", "my.duckdb"}}));
  EXPECT_EQ(answer(runner), "1");
  fs::rename(path("my.log"), path("my.duckdb.wal"));
  EXPECT_EQ(answer(runner), "2") << runner.last_line;
}

TEST_P(ReplacedSources, ReportsAMissingOrBrokenDatabaseAndContinues) {
  write_database("my.duckdb", 1);
  RunnerProcess runner(spec({{"database", "my.duckdb"}}));
  EXPECT_EQ(answer(runner), "1");
  fs::rename(path("my.duckdb"), path("kept.duckdb"));
  for (const bool broken : {false, true}) {
    if (broken) write_file(path("my.duckdb"), std::string(20'000, 'x'));
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(answer(runner), "io") << runner.last_line;
      EXPECT_NE(runner.last_line.find("my.duckdb"), std::string::npos) << runner.last_line;
      EXPECT_NE(runner.last_line.find("\"final\":false"), std::string::npos) << runner.last_line;
    }
  }
  fs::rename(path("kept.duckdb"), path("my.duckdb"));
  EXPECT_EQ(answer(runner), "1");
}

TEST_P(ReplacedSources, ReadsAParquetFileThatWasReplacedByOneOfTheSameSizeAndTime) {
  for (const std::string value : {"1", "2"})
    write("", {"COPY (SELECT " + value + " AS a FROM range(100000)) TO '" + path("made/" + value).string() +
               "' (FORMAT parquet)"});
  ASSERT_EQ(fs::file_size(path("made/1")), fs::file_size(path("made/2")));
  struct timespec times[2] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
  for (const char* each : {"made/1", "made/2"}) utimensat(AT_FDCWD, path(each).c_str(), times, 0);
  fs::rename(path("made/1"), path("data/x.parquet"));
  RunnerProcess runner(spec());
  EXPECT_EQ(answer(runner, "parquet"), "1");
  EXPECT_EQ(answer(runner, "parquet"), "1");
  fs::rename(path("made/2"), path("data/x.parquet"));
  EXPECT_EQ(answer(runner, "parquet"), "2");
}

TEST_P(ReplacedSources, ReadsAFolderThatWasExchanged) {
  for (const std::string value : {"1", "2"}) {
    const auto folder = value == "1" ? "data" : "made";
    write("", {"COPY (SELECT " + value + " AS a) TO '" + path(folder).string() + "/x.parquet'"});
  }
  RunnerProcess runner(spec());
  EXPECT_EQ(answer(runner, "parquet"), "1");
  fs::rename(path("data"), path("old"));
  fs::rename(path("made"), path("data"));
  if (GetParam() == "off") {
    EXPECT_EQ(answer(runner, "parquet"), "2") << runner.last_line;
    return;
  }
  // Landlock's rule is for the old folder: the job is snoozed, and the next runner reads the new one
  const auto outcome = runner.call("parquet");
  EXPECT_EQ(json::text_or(outcome, "type", ""), "snooze") << runner.last_line;
  EXPECT_EQ(outcome.at("last"), true);
  const int status = runner.wait_exit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  RunnerProcess next(spec());
  EXPECT_EQ(answer(next, "parquet"), "2");
}

INSTANTIATE_TEST_SUITE_P(Sandbox, ReplacedSources, testing::Values("off", "require"));

}  // namespace
}  // namespace gaur::test
