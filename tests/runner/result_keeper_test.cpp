// The owner of the result files: one thread for all that changes them.
#include "runner/result_keeper.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <fstream>
#include <future>

#include "base/manual_env.hpp"

namespace gaur {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    std::string pattern = (fs::temp_directory_path() / "gaur-keeper-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "out");
    ResultFolder::Options options{.folder = root_ / "results", .keep = 1h};
    // A move that lasts until the test says so, as that of a large file to another file system does.
    options.move = [this](const fs::path& from, const fs::path& to, const Abandoned& abandoned) {
      const Status moved = move_file(from, to, abandoned);  // the note is not written yet
      std::unique_lock lock(mutex_);
      moving_ = true;
      changed_.notify_all();
      while (!go_ && !abandoned) changed_.wait_for(lock, 5ms);
      return abandoned ? Status(Error{Errc::kStopping, "abandoned"}) : moved;
    };
    keeper_.emplace(clock_, options);
  }
  ~KeeperTest() override {
    let_go();
    keeper_.reset();
    fs::remove_all(root_);
  }
  std::future<Result<ResultFile>> adopt(const std::string& id) {
    std::ofstream(root_ / "out" / id) << "content of " << id;
    auto promise = std::make_shared<std::promise<Result<ResultFile>>>();
    Adoption adoption;
    adoption.job = {QueueName("q"), JobId(id)};
    adoption.out = root_ / "out";
    adoption.file = {id, "csv", 1};
    keeper_->adopt(std::move(adoption),
                   [promise](Result<ResultFile> kept) { promise->set_value(std::move(kept)); });
    return promise->get_future();
  }
  void wait_for_move() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 10s, [this] { return moving_; }));
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    go_ = true;
    changed_.notify_all();
  }

  SystemClock clock_;
  fs::path root_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool moving_ = false, go_ = false;
  std::optional<ResultKeeper> keeper_;
};

TEST_F(KeeperTest, ASweepDoesNotTakeAFileWhoseNoteIsNotWrittenYet) {
  auto kept = adopt("a");
  wait_for_move();
  keeper_->sweep_each(1ms);  // waits for its turn, as does each later one
  EXPECT_TRUE(fs::exists(root_ / "results" / "q" / "a.csv"));
  let_go();
  ASSERT_TRUE(kept.get());
  auto later = adopt("b");
  ASSERT_TRUE(later.get());
  EXPECT_TRUE(keeper_->find({QueueName("q"), JobId("a")})) << "swept between its move and its note";
}

TEST_F(KeeperTest, NobodyWaitsForASlowMoveAndAStopEndsIt) {
  auto first = adopt("a");
  auto second = adopt("b");
  wait_for_move();
  EXPECT_EQ(first.wait_for(0s), std::future_status::timeout) << "the asker goes on meanwhile";
  keeper_.reset();
  EXPECT_EQ(first.get().error().code, Errc::kStopping);
  EXPECT_EQ(second.get().error().code, Errc::kStopping);
}

TEST_F(KeeperTest, ARemovedJobsFileIsRemovedInItsTurn) {
  auto kept = adopt("a");
  keeper_->remove({QueueName("q"), JobId("a")});
  let_go();
  ASSERT_TRUE(kept.get());
  ASSERT_TRUE(adopt("b").get());
  EXPECT_FALSE(keeper_->find({QueueName("q"), JobId("a")}));
}

TEST(MoveFile, IsAbandonedBetweenTwoPieces) {
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
}  // namespace gaur
