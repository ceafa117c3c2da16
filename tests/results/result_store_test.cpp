// One thread changes the folder of result files.
#include "results/result_store.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <future>

#include "base/manual_env.hpp"

namespace gaur::results {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ResultStoreTest : public testing::Test {
 protected:
  ResultStoreTest() {
    std::string pattern = (fs::temp_directory_path() / "gaur-result-store-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "out");
    ResultFolder::Options options{.folder = root_ / "results", .ttl = 1h};
    // A slow move, as of a large file to another file system: it lasts until finish_moves().
    options.move = [this](const fs::path& from, const fs::path& to, const CancelFlag& cancelled) {
      const Status moved = move_file(from, to, cancelled);  // the record is not written yet
      std::unique_lock lock(mutex_);
      moving_ = true;
      changed_.notify_all();
      while (!finish_ && !cancelled) changed_.wait_for(lock, 5ms);
      return cancelled ? Status(Error{Errc::kStopping, "cancelled"}) : moved;
    };
    store_.emplace(clock_, options);
  }
  ~ResultStoreTest() override {
    finish_moves();
    store_.reset();
    fs::remove_all(root_);
  }
  std::future<Result<ResultFile>> save(const std::string& id) {
    std::ofstream(root_ / "out" / id) << "content of " << id;
    auto promise = std::make_shared<std::promise<Result<ResultFile>>>();
    SaveRequest request;
    request.job = {QueueName("q"), JobId(id)};
    request.out = root_ / "out";
    request.file = {id, "csv", 1};
    store_->save(std::move(request),
                 [promise](Result<ResultFile> saved) { promise->set_value(std::move(saved)); });
    return promise->get_future();
  }
  void wait_for_move() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 10s, [this] { return moving_; }));
  }
  void finish_moves() {
    const std::lock_guard lock(mutex_);
    finish_ = true;
    changed_.notify_all();
  }

  SystemClock clock_;
  fs::path root_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool moving_ = false, finish_ = false;
  std::optional<ResultStore> store_;
};

TEST_F(ResultStoreTest, CleanupKeepsAFileWhoseRecordIsNotWrittenYet) {
  auto saved = save("a");
  wait_for_move();
  store_->remove_expired_each(1ms);  // queued behind the move
  EXPECT_TRUE(fs::exists(root_ / "results" / "q" / "a.csv"));
  finish_moves();
  ASSERT_TRUE(saved.get());
  auto later = save("b");
  ASSERT_TRUE(later.get());
  EXPECT_TRUE(store_->find({QueueName("q"), JobId("a")})) << "removed between its move and its record";
}

TEST_F(ResultStoreTest, DoesNotBlockDuringASlowMoveAndCancelsItOnStop) {
  auto first = save("a");
  auto second = save("b");
  wait_for_move();
  EXPECT_EQ(first.wait_for(0s), std::future_status::timeout) << "save() must not block";
  store_.reset();
  EXPECT_EQ(first.get().error().code, Errc::kStopping);
  EXPECT_EQ(second.get().error().code, Errc::kStopping);
}

TEST_F(ResultStoreTest, RemovesTheFileOfARemovedJobAfterItsMove) {
  auto saved = save("a");
  store_->remove({QueueName("q"), JobId("a")});
  finish_moves();
  ASSERT_TRUE(saved.get());
  ASSERT_TRUE(save("b").get());
  EXPECT_FALSE(store_->find({QueueName("q"), JobId("a")}));
}

TEST(FullDisk, SaveIsRepeatedUntilThereIsSpace) {
  std::string pattern = (fs::temp_directory_path() / "gaur-result-store-XXXXXX").string();
  const fs::path root = ::mkdtemp(pattern.data());
  fs::create_directories(root / "out");
  std::ofstream(root / "out" / "a") << "content";
  std::atomic<int> failures = 2;
  ResultFolder::Options options{.folder = root / "results", .ttl = 1h};
  options.move = [&](const fs::path& from, const fs::path& to, const CancelFlag& cancelled) {
    return failures-- > 0 ? Status(Error{Errc::kStoreFull, "no space"}) : move_file(from, to, cancelled);
  };
  SystemClock clock;
  {
    ResultStore store(clock, options);
    std::promise<Result<ResultFile>> saved;
    SaveRequest request;
    request.job = {QueueName("q"), JobId("a")};
    request.out = root / "out";
    request.file = {"a", "csv", 1};
    store.save(std::move(request), [&](Result<ResultFile> file) { saved.set_value(std::move(file)); });
    const auto file = saved.get_future().get();
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(failures, -1);
    EXPECT_TRUE(store.find({QueueName("q"), JobId("a")}).has_value());
  }
  fs::remove_all(root);
}

TEST(MoveFile, IsCancelFlagBetweenTwoPieces) {
  std::string pattern = "/dev/shm/gaur-move-XXXXXX", target = "/tmp/gaur-move-XXXXXX";
  const fs::path from = ::mkdtemp(pattern.data()), to = ::mkdtemp(target.data());
  std::ofstream(from / "r") << std::string(10 << 20, 'x');
  const Status moved = move_file(from / "r", to / "r", true);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Errc::kStopping);
  EXPECT_TRUE(fs::exists(from / "r"));
  EXPECT_TRUE(fs::is_empty(to));
  fs::remove_all(from);
  fs::remove_all(to);
}

}  // namespace
}  // namespace gaur::results
