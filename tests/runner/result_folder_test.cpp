// Result files: where they lie, who gets in, when they go.
#include "runner/result_folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/json.hpp"
#include "base/manual_env.hpp"

namespace gaur {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ResultFolderTest : public testing::Test {
 protected:
  ResultFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "gaur-results-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(out());
    results_.emplace(clock_, ResultFolder::Options{.folder = root_ / "results", .keep = 1h});
  }
  ~ResultFolderTest() override { fs::remove_all(root_); }
  fs::path out() const { return root_ / "out"; }
  void write(const std::string& name, const std::string& text = "x,y\n") {
    std::ofstream(out() / name) << text;
  }
  static JobRef job(const std::string& id, const std::string& queue = "q") {
    return {QueueName(queue), JobId(id)};
  }
  std::string refusal(const OfferedFile& offered) {
    const auto kept = results_->adopt(job("1"), out(), offered);
    return kept ? "" : kept.error().message;
  }

  ManualClock clock_;
  fs::path root_;
  std::optional<ResultFolder> results_;
};

TEST_F(ResultFolderTest, AFileIsMovedAndFound) {
  write("r.csv", "hello");
  const auto kept = results_->adopt(job("7"), out(), {"r.csv", "csv", 3});
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->path, root_ / "results" / "q" / "7.csv");
  EXPECT_FALSE(fs::exists(out() / "r.csv"));
  const auto found = results_->find(job("7"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, 5U);
  EXPECT_EQ(found->rows, 3U);
  EXPECT_EQ(found->expires_at, clock_.wall() + 1h);
}

TEST_F(ResultFolderTest, OnlyPlainFilesOfTheRunnersOwnFolderGetIn) {
  write("good.csv");
  std::ofstream(root_ / "outside.csv") << "secret";
  fs::create_symlink(root_ / "outside.csv", out() / "link.csv");
  fs::create_directory(out() / "dir.csv");
  ASSERT_EQ(::mkfifo((out() / "fifo.csv").c_str(), 0600), 0);
  for (const char* name : {"../outside.csv", "/etc/passwd", "", ".", "..", "dir/x"}) {
    EXPECT_THAT(refusal({name, "csv", 0}), testing::HasSubstr("plain file name")) << name;
  }
  EXPECT_THAT(refusal({std::string("a\0b", 3), "csv", 0}), testing::HasSubstr("plain file name"));
  for (const char* name : {"link.csv", "dir.csv", "fifo.csv"}) {
    EXPECT_THAT(refusal({name, "csv", 0}), testing::HasSubstr("no regular file")) << name;
  }
  EXPECT_THAT(refusal({"missing.csv", "csv", 0}), testing::HasSubstr("wrote no file"));
  for (const char* format : {"", "CSV", "c/v", "../x", "json", "abcdefghijklmnopq"}) {
    EXPECT_THAT(refusal({"good.csv", format, 0}), testing::HasSubstr("the format")) << format;
  }
  EXPECT_TRUE(fs::exists(root_ / "outside.csv"));
}

TEST_F(ResultFolderTest, NoQueueOrJobIdLeadsElsewhere) {
  for (const auto& ref : {job("../../x"), job("a/b", "../q"), job("..", ".."), job("."),
                          job(std::string(128, '/')), job("한국어"), job(".json"), job("a.b")}) {
    write("r.csv");
    const auto kept = results_->adopt(ref, out(), {"r.csv", "csv", 0});
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_EQ(kept->path.parent_path().parent_path(), root_ / "results");
    EXPECT_TRUE(results_->find(ref));
  }
  EXPECT_NE(file_name_of("a/b"), file_name_of("a_b"));
  EXPECT_LE(file_name_of(std::string(128, '/')).size() + 17, 255U);
}

TEST_F(ResultFolderTest, ASecondRunReplacesTheFirst) {
  write("r.csv");
  ASSERT_TRUE(results_->adopt(job("1"), out(), {"r.csv", "csv", 1}));
  write("r.parquet", "PAR1");
  ASSERT_TRUE(results_->adopt(job("1"), out(), {"r.parquet", "parquet", 2}));
  EXPECT_EQ(results_->find(job("1"))->format, "parquet");
  EXPECT_FALSE(fs::exists(root_ / "results" / "q" / "1.csv"));
}

TEST_F(ResultFolderTest, WhatExpiredIsNotFoundAndSwept) {
  write("a.csv", "12345");
  write("b.csv", "123");
  ASSERT_TRUE(results_->adopt(job("a"), out(), {"a.csv", "csv", 0}));
  clock_.advance(30min);
  ASSERT_TRUE(results_->adopt(job("b"), out(), {"b.csv", "csv", 0}));
  clock_.advance(30min);
  EXPECT_FALSE(results_->find(job("a")));
  EXPECT_TRUE(results_->find(job("b")));
  const auto swept = results_->sweep();
  EXPECT_EQ(swept.removed_files, 1U);
  EXPECT_EQ(swept.removed_bytes, 5U);
  EXPECT_EQ(swept.files, 1U);
  EXPECT_EQ(swept.bytes, 3U);
}

TEST_F(ResultFolderTest, WhatAKillLeftHalfDoneIsSwept) {
  write("a.csv");
  ASSERT_TRUE(results_->adopt(job("a"), out(), {"a.csv", "csv", 0}));
  const fs::path folder = root_ / "results" / "q";
  fs::remove(folder / "a.csv");                        // a note without its file
  std::ofstream(folder / "b.csv") << "file, no note";  // a file without its note
  std::ofstream(folder / "c.json.part") << "{";
  EXPECT_FALSE(results_->find(job("a")));
  EXPECT_FALSE(results_->find(job("b")));
  results_->sweep();
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(ResultFolderTest, RejectsAFileThatDoesNotFitAndKeepsTheOthers) {
  results_.emplace(clock_, ResultFolder::Options{root_ / "results", 1h, false, 10});
  write("a.csv", "12345");
  ASSERT_TRUE(results_->adopt(job("1"), out(), {"a.csv", "csv", 1}));
  write("b.csv", "123456");
  const auto full = results_->adopt(job("2"), out(), {"b.csv", "csv", 1});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::kStoreFull);
  EXPECT_THAT(full.error().message,
              testing::HasSubstr("6 bytes does not fit: result files take 5 of 10 bytes (results.max_size)"));
  EXPECT_TRUE(results_->find(job("1")));
  EXPECT_FALSE(results_->find(job("2")));
  write("b.csv", "12345");
  EXPECT_TRUE(results_->adopt(job("2"), out(), {"b.csv", "csv", 1}));
  write("c.csv", "1");
  EXPECT_FALSE(results_->adopt(job("3"), out(), {"c.csv", "csv", 1}));
  ASSERT_TRUE(results_->remove(job("1")));  // room again
  EXPECT_TRUE(results_->adopt(job("3"), out(), {"c.csv", "csv", 1}));
  clock_.advance(2h);
  results_->sweep();  // all have expired
  write("d.csv", "1234567890");
  EXPECT_TRUE(results_->adopt(job("4"), out(), {"d.csv", "csv", 1}));
}

TEST_F(ResultFolderTest, CountsWhatWasThereBeforeTheStart) {
  write("a.csv", "12345");
  ASSERT_TRUE(results_->adopt(job("1"), out(), {"a.csv", "csv", 1}));
  results_.emplace(clock_, ResultFolder::Options{root_ / "results", 1h, false, 6});
  results_->sweep();
  write("b.csv", "12");
  EXPECT_FALSE(results_->adopt(job("2"), out(), {"b.csv", "csv", 1}));
}

TEST_F(ResultFolderTest, RemoveTakesTheFileAndTheNote) {
  write("a.csv");
  ASSERT_TRUE(results_->adopt(job("a"), out(), {"a.csv", "csv", 0}));
  EXPECT_TRUE(results_->remove(job("a")));
  EXPECT_TRUE(fs::is_empty(root_ / "results" / "q"));
  EXPECT_TRUE(results_->remove(job("never was")));
}

TEST(FileMember, IsAddedToTheResultWithoutTouchingTheRest) {
  ResultFile file;
  file.format = "parquet";
  file.bytes = 12345;
  file.rows = 8;
  file.expires_at = from_ms(1'795'338'000'000);
  const JobRef job{QueueName("q"), JobId("한/1")};
  const std::string member =
      R"("file":{"url":"/v1/queues/q/jobs/%ED%95%9C%2F1/result","format":"parquet","bytes":12345,"rows":8,)"
      R"("expires_at":"2026-11-22T09:00:00Z"})";
  EXPECT_EQ(with_file_member(R"({"n":1.10})", job, file), "{\"n\":1.10," + member + "}");
  EXPECT_EQ(with_file_member("{ }", job, file), "{ " + member + "}");
  EXPECT_EQ(with_file_member("{}", job, file), "{" + member + "}");
  EXPECT_NE(with_file_member("{}", job, file, "/gaur")
                .find(R"("url":"/gaur/v1/queues/q/jobs/%ED%95%9C%2F1/result")"),
            std::string::npos);
}

}  // namespace
}  // namespace gaur
