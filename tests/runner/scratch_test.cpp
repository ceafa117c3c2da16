// Scratch folders: their size, and what happens at the limits of a run and of the host.
#include "runner/scratch_size.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "pool_fixture.hpp"

namespace gaur {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ScratchSizeTest : public testing::Test {
 protected:
  ScratchSizeTest() {
    std::string pattern = (fs::temp_directory_path() / "gaur-scratch-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "scratch/tmp");
    empty_ = size();
  }
  ~ScratchSizeTest() override { fs::remove_all(root_); }
  std::uint64_t size() const {
    const std::atomic<bool> never{false};
    return scratch_size(root_ / "scratch", never);
  }
  std::uint64_t added() const { return size() - empty_; }
  void write(const fs::path& name, std::size_t bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << std::string(bytes, 'x');
  }

  fs::path root_;
  std::uint64_t empty_ = 0;
};

TEST_F(ScratchSizeTest, CountsFilesInFoldersOfAnyDepth) {
  write("scratch/tmp/a", 1'000'000);
  EXPECT_NEAR(static_cast<double>(added()), 1e6, 1e5);
  write("scratch/tmp/b/c/d", 1'000'000);
  EXPECT_NEAR(static_cast<double>(added()), 2e6, 1e5);
  fs::remove_all(root_ / "scratch");
  EXPECT_EQ(size(), 0U);
}

TEST_F(ScratchSizeTest, CountsDiskSpaceAndNotTheLengthOfSparseFiles) {
  write("scratch/tmp/sparse", 1);
  ASSERT_EQ(::truncate((root_ / "scratch/tmp/sparse").c_str(), 1L << 40), 0);
  EXPECT_LT(added(), 1'000'000U);
}

TEST_F(ScratchSizeTest, CountsAFileWithSeveralNamesOnce) {
  write("scratch/tmp/a", 1'000'000);
  fs::create_hard_link(root_ / "scratch/tmp/a", root_ / "scratch/tmp/b");
  EXPECT_NEAR(static_cast<double>(added()), 1e6, 1e5);
}

TEST_F(ScratchSizeTest, FollowsNoSymbolicLink) {
  write("elsewhere/large", 5'000'000);
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "scratch/tmp/folder");
  fs::create_symlink(root_ / "elsewhere/large", root_ / "scratch/tmp/file");
  fs::create_directory_symlink("..", root_ / "scratch/tmp/up");
  ASSERT_EQ(::mkfifo((root_ / "scratch/tmp/pipe").c_str(), 0600), 0);
  EXPECT_LT(added(), 1'000'000U);
  fs::remove_all(root_ / "scratch");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "scratch");
  EXPECT_EQ(size(), 0U) << "nor if the folder itself is replaced by one";
}

class ScratchTest : public PoolTest {
 protected:
  void open_with_limit(std::uint64_t of_run) {
    PoolOptions options;
    options.max_scratch = of_run;
    options.min_runners = 0;
    open(options);
  }
  void measured(const ScratchSizes& sizes) { processes_->events()->on_scratch(sizes, env_.env.clock.now()); }
  std::string failure_of(const std::string& token) {
    const auto* failed = ended<run::Failed>(token);
    if (failed == nullptr) return "no failure";
    EXPECT_FALSE(failed->final);
    return failed->failure.code + ": " + failed->failure.message;
  }
};

TEST_F(ScratchTest, FailsARunOverTheLimitOfItsPool) {
  open_with_limit(1'000'000);
  start("a");
  ready(1);
  calls();
  measured({{1, 1'000'000}});
  EXPECT_THAT(calls(), IsEmpty());
  measured({{1, 1'500'000}});
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
  measured({{1, 1'600'000}, {77, 9'000'000}});
  EXPECT_THAT(calls(), IsEmpty()) << "once";
  exit(1, SIGKILL);
  EXPECT_EQ(failure_of("a"),
            "scratch_full: its scratch folder has 1500000 bytes, over its limit of 1000000 "
            "(pools.p.max_scratch); write "
            "fewer or smaller files to GAUR_TMP and GAUR_OUT, or raise that key");
  EXPECT_THAT(processes_->released, ElementsAre(1U));
}

TEST_F(ScratchTest, DoesNotBlameARunForFilesOfTheOneBefore) {
  host_scratch_ = 1'000'000;
  open_with_limit(1'000'000);
  start("a");
  ready(1);
  const Instant during_a = env_.env.clock.now();
  wait(100ms);
  complete(1, "a");
  start("b");
  calls();
  processes_->events()->on_scratch({{1, 9'000'000}}, during_a);
  EXPECT_THAT(calls(), IsEmpty());
  measured({{1, 9'000'000}});
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
}

TEST_F(ScratchTest, ReplacesAnIdleRunnerWhoseFilesExceedTheLimit) {
  open_with_limit(1'000'000);
  start("a");
  ready(1);
  complete(1, "a");
  calls();
  measured({{1, 1'500'000}});
  EXPECT_THAT(calls(), ElementsAre("stop 1", "close 1"));
  EXPECT_TRUE(ended<run::Completed>("a"));
}

TEST_F(ScratchTest, KeepsARunWhoseFileIsBeingSaved) {
  open_with_limit(1'000'000);
  start("a");
  ready(1);
  complete_with_file(1, "a");
  calls();
  measured({{1, 1'500'000}});
  EXPECT_THAT(calls(), IsEmpty());
  saved(0);
  EXPECT_TRUE(ended<run::Completed>("a"));
}

TEST_F(ScratchTest, FailsTheRunWithTheMostAboveTheLimitOfTheHost) {
  host_scratch_ = 3'000'000;
  open_with_limit(0);
  for (const char* token : {"a", "b", "c"}) start(token);
  for (RunnerId id = 1; id <= 3; ++id) ready(id);
  EXPECT_TRUE(processes_->started.at(0).measure_scratch);
  calls();
  measured({{1, 900'000}, {2, 1'200'000}, {3, 900'000}});
  EXPECT_THAT(calls(), IsEmpty());
  measured({{1, 900'000}, {2, 1'300'000}, {3, 900'000}});
  EXPECT_THAT(calls(), ElementsAre("kill 2"));
  measured({{1, 900'000}, {2, 1'300'000}, {3, 900'000}});
  EXPECT_THAT(calls(), IsEmpty()) << "the folder of runner 2 is about to be removed";
  exit(2, SIGKILL);
  EXPECT_THAT(failure_of(ends_.begin()->first),
              testing::AllOf(
                  HasSubstr("scratch_full: the scratch folders of this host have 3100000 bytes, over their "
                            "limit of 3000000 (machine.scratch), and that of this run has the most, "
                            "1300000"),
                  HasSubstr("raise that key")));
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(ScratchTest, MeasuresNothingWithoutLimits) {
  open_with_limit(0);
  start("a");
  EXPECT_FALSE(processes_->started.at(0).measure_scratch);
}

TEST_F(ScratchTest, ReportsAResultFileOverItsLimit) {
  PoolOptions options;
  options.max_file = 10;
  open(options);
  start("a");
  ready(1);
  complete_with_file(1, "a");
  EXPECT_EQ(save_requests_.at(0).first.max_bytes, 10U);
  saved(0, Error{Errc::kTooLarge, "the result file has 12 bytes, at most 10 are allowed"});
  EXPECT_EQ(
      failure_of("a"),
      "too_large: the result file has 12 bytes, at most 10 are allowed (pools.p.max_file); write a smaller "
      "file, or raise that key");
}

}  // namespace
}  // namespace gaur
