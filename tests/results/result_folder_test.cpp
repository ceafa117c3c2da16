// The folder of result files: paths, rejected files, quota, expiry.
#include "results/result_folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/manual_env.hpp"
#include "results/file_record.hpp"

namespace gaur::results {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ResultFolderTest : public testing::Test {
 protected:
  ResultFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "gaur-results-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(out());
    results_.emplace(clock_, ResultFolder::Options{.folder = root_ / "results", .ttl = 1h});
  }
  ~ResultFolderTest() override { fs::remove_all(root_); }
  fs::path out() const { return root_ / "out"; }
  void write(const std::string& name, const std::string& text = "x,y\n") {
    std::ofstream(out() / name) << text;
  }
  static JobRef job(const std::string& id, const std::string& queue = "q") {
    return {QueueName(queue), JobId(id)};
  }
  std::string problem_of(const RunnerFile& file) {
    const auto saved = results_->save(job("1"), out(), file);
    return saved ? "" : saved.error().message;
  }

  ManualClock clock_;
  fs::path root_;
  std::optional<ResultFolder> results_;
};

TEST_F(ResultFolderTest, SavesAFileAndFindsIt) {
  write("r.csv", "hello");
  const auto saved = results_->save(job("7"), out(), {"r.csv", "csv", 3});
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(saved->path, root_ / "results" / "q" / "7.csv");
  EXPECT_FALSE(fs::exists(out() / "r.csv"));
  const auto found = results_->find(job("7"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, 5U);
  EXPECT_EQ(found->rows, 3U);
  EXPECT_EQ(found->expires_at, clock_.wall() + 1h);
}

TEST_F(ResultFolderTest, RejectsFilesOutsideTheRunnersFolder) {
  write("good.csv");
  std::ofstream(root_ / "outside.csv") << "secret";
  fs::create_symlink(root_ / "outside.csv", out() / "link.csv");
  fs::create_directory(out() / "dir.csv");
  ASSERT_EQ(::mkfifo((out() / "fifo.csv").c_str(), 0600), 0);
  for (const char* name : {"../outside.csv", "/etc/passwd", "", ".", "..", "dir/x"}) {
    EXPECT_THAT(problem_of({name, "csv", 0}), testing::HasSubstr("plain file name")) << name;
  }
  EXPECT_THAT(problem_of({std::string("a\0b", 3), "csv", 0}), testing::HasSubstr("plain file name"));
  for (const char* name : {"link.csv", "dir.csv", "fifo.csv"}) {
    EXPECT_THAT(problem_of({name, "csv", 0}), testing::HasSubstr("not a regular file")) << name;
  }
  EXPECT_THAT(problem_of({"missing.csv", "csv", 0}), testing::HasSubstr("wrote no file"));
  for (const char* format : {"", "CSV", "c/v", "../x", "json", "abcdefghijklmnopq"}) {
    EXPECT_THAT(problem_of({"good.csv", format, 0}), testing::HasSubstr("the format")) << format;
  }
  EXPECT_TRUE(fs::exists(root_ / "outside.csv"));
}

TEST_F(ResultFolderTest, FollowsNoLinkInTheFoldersOfRunnersAndResults) {
  fs::create_directories(root_ / "elsewhere");
  std::ofstream(root_ / "elsewhere" / "r.csv") << "secret";
  fs::remove_all(out());
  fs::create_directory_symlink(root_ / "elsewhere", out());
  EXPECT_THAT(problem_of({"r.csv", "csv", 0}), testing::HasSubstr("not a regular file"));
  EXPECT_TRUE(fs::exists(root_ / "elsewhere" / "r.csv"));
  fs::remove(out());
  fs::create_directories(out());

  fs::create_directories(root_ / "results");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "results" / "q");
  write("r.csv");
  EXPECT_THAT(problem_of({"r.csv", "csv", 0}), testing::HasSubstr("cannot open"));
  std::ofstream(root_ / "elsewhere" / "1.json") << R"({"format":"csv","rows":0,"expires_ms":99999999999999})";
  std::ofstream(root_ / "elsewhere" / "1.csv") << "secret";
  EXPECT_FALSE(results_->find(job("1")));
  results_->remove_expired();
  EXPECT_TRUE(fs::exists(root_ / "elsewhere" / "r.csv")) << "the clean-up stays in its folder";
}

TEST_F(ResultFolderTest, RejectsAFileOverTheLimitOfItsRun) {
  write("r.csv", "12345678");
  const auto saved = results_->save(job("1"), out(), {"r.csv", "csv", 0}, false, 7);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Errc::kTooLarge);
  EXPECT_EQ(saved.error().message, "the result file has 8 bytes, at most 7 are allowed");
  EXPECT_FALSE(results_->find(job("1")));
  EXPECT_TRUE(results_->save(job("1"), out(), {"r.csv", "csv", 0}, false, 8));
}

TEST_F(ResultFolderTest, OthersCannotReadResults) {
  write("r.csv");
  fs::permissions(out() / "r.csv", fs::perms(0666));
  const auto saved = results_->save(job("1"), out(), {"r.csv", "csv", 0});
  ASSERT_TRUE(saved) << saved.error().message;
  const auto mode = [](const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  };
  EXPECT_EQ(mode(saved->path), 0640U);
  EXPECT_EQ(mode(root_ / "results" / "q" / "1.json"), 0600U);
  EXPECT_EQ(mode(root_ / "results" / "q"), 0750U);
  EXPECT_EQ(mode(root_ / "results"), 0750U);
  ResultFolder shared(clock_, {.folder = root_ / "shared", .ttl = 1h, .shared = true});
  write("s.csv");
  fs::permissions(out() / "s.csv", fs::perms(0644));
  const auto read_by_producers = shared.save(job("1"), out(), {"s.csv", "csv", 0});
  ASSERT_TRUE(read_by_producers);
  EXPECT_EQ(mode(read_by_producers->path), 0644U);
}

TEST_F(ResultFolderTest, KeepsFilesOfAnyQueueAndJobIdInItsFolder) {
  for (const auto& ref : {job("../../x"), job("a/b", "../q"), job("..", ".."), job("."),
                          job(std::string(128, '/')), job("한국어"), job(".json"), job("a.b")}) {
    write("r.csv");
    const auto saved = results_->save(ref, out(), {"r.csv", "csv", 0});
    ASSERT_TRUE(saved) << saved.error().message;
    EXPECT_EQ(saved->path.parent_path().parent_path(), root_ / "results");
    EXPECT_TRUE(results_->find(ref));
  }
  EXPECT_NE(file_name_of("a/b"), file_name_of("a_b"));
  EXPECT_LE(file_name_of(std::string(128, '/')).size() + 17, 255U);
}

TEST_F(ResultFolderTest, ReplacesTheFileOfAnEarlierRun) {
  write("r.csv");
  ASSERT_TRUE(results_->save(job("1"), out(), {"r.csv", "csv", 1}));
  write("r.parquet", "PAR1");
  ASSERT_TRUE(results_->save(job("1"), out(), {"r.parquet", "parquet", 2}));
  EXPECT_EQ(results_->find(job("1"))->format, "parquet");
  EXPECT_FALSE(fs::exists(root_ / "results" / "q" / "1.csv"));
}

TEST_F(ResultFolderTest, RemovesExpiredFiles) {
  write("a.csv", "12345");
  write("b.csv", "123");
  ASSERT_TRUE(results_->save(job("a"), out(), {"a.csv", "csv", 0}));
  clock_.advance(30min);
  ASSERT_TRUE(results_->save(job("b"), out(), {"b.csv", "csv", 0}));
  clock_.advance(30min);
  EXPECT_FALSE(results_->find(job("a")));
  EXPECT_TRUE(results_->find(job("b")));
  const auto cleanup = results_->remove_expired();
  EXPECT_EQ(cleanup.removed_files, 1U);
  EXPECT_EQ(cleanup.removed_bytes, 5U);
  EXPECT_EQ(cleanup.files, 1U);
  EXPECT_EQ(cleanup.bytes, 3U);
}

TEST_F(ResultFolderTest, RemovesHalfSavedFilesOfAKilledProcess) {
  write("a.csv");
  ASSERT_TRUE(results_->save(job("a"), out(), {"a.csv", "csv", 0}));
  const fs::path folder = root_ / "results" / "q";
  fs::remove(folder / "a.csv");                          // a record without its file
  std::ofstream(folder / "b.csv") << "file, no record";  // a file without its record
  std::ofstream(folder / "c.json.part") << "{";
  EXPECT_FALSE(results_->find(job("a")));
  EXPECT_FALSE(results_->find(job("b")));
  results_->remove_expired();
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(ResultFolderTest, KeepsAFileWhoseRecordCannotBeRead) {
  for (const bool shared : {false, true}) {
    results_.emplace(clock_, ResultFolder::Options{.folder = root_ / "results", .ttl = 1h, .shared = shared});
    write("a.csv");
    ASSERT_TRUE(results_->save(job("a"), out(), {"a.csv", "csv", 0}));
    const fs::path record = root_ / "results" / "q" / "a.json";
    fs::rename(record, root_ / "saved.json");
    fs::create_symlink("/proc/self/mem", record);  // can be opened; reading fails
    const auto found = results_->find(job("a"));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::kIo);
    const auto cleanup = results_->remove_expired();
    EXPECT_EQ(cleanup.files, 1U);
    EXPECT_EQ(cleanup.removed_files, 0U);
    fs::remove(record);
    fs::rename(root_ / "saved.json", record);
    EXPECT_TRUE(results_->find(job("a")));
  }
}

TEST_F(ResultFolderTest, RejectsAFileOverTheQuotaAndKeepsTheOthers) {
  results_.emplace(clock_, ResultFolder::Options{root_ / "results", 1h, false, 10});
  write("a.csv", "12345");
  ASSERT_TRUE(results_->save(job("1"), out(), {"a.csv", "csv", 1}));
  write("b.csv", "123456");
  const auto full = results_->save(job("2"), out(), {"b.csv", "csv", 1});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::kStoreFull);
  EXPECT_THAT(full.error().message,
              testing::HasSubstr("6 bytes does not fit: result files take 5 of 10 bytes (results.max_size)"));
  EXPECT_TRUE(results_->find(job("1")));
  EXPECT_FALSE(results_->find(job("2")));
  write("b.csv", "12345");
  EXPECT_TRUE(results_->save(job("2"), out(), {"b.csv", "csv", 1}));
  write("c.csv", "1");
  EXPECT_FALSE(results_->save(job("3"), out(), {"c.csv", "csv", 1}));
  ASSERT_TRUE(results_->remove(job("1")));  // frees its bytes
  EXPECT_TRUE(results_->save(job("3"), out(), {"c.csv", "csv", 1}));
  clock_.advance(2h);
  results_->remove_expired();  // all have expired
  write("d.csv", "1234567890");
  EXPECT_TRUE(results_->save(job("4"), out(), {"d.csv", "csv", 1}));
}

TEST_F(ResultFolderTest, CountsFilesOfAnEarlierProcessTowardsTheQuota) {
  write("a.csv", "12345");
  ASSERT_TRUE(results_->save(job("1"), out(), {"a.csv", "csv", 1}));
  results_.emplace(clock_, ResultFolder::Options{root_ / "results", 1h, false, 6});
  results_->remove_expired();
  write("b.csv", "12");
  EXPECT_FALSE(results_->save(job("2"), out(), {"b.csv", "csv", 1}));
}

TEST_F(ResultFolderTest, RemovesTheFileAndItsRecord) {
  write("a.csv");
  ASSERT_TRUE(results_->save(job("a"), out(), {"a.csv", "csv", 0}));
  EXPECT_TRUE(results_->remove(job("a")));
  EXPECT_TRUE(fs::is_empty(root_ / "results" / "q"));
  EXPECT_TRUE(results_->remove(job("unknown")));
}

}  // namespace
}  // namespace gaur::results
