// A run with a result file ends when the file is saved.
#include "pool_fixture.hpp"

namespace gaur {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(PoolTest, DelaysOnlyItsOwnRunDuringASlowMove) {
  PoolOptions pool;
  pool.idle_after = 1h;
  pool.max_runners = 2;
  open(pool);
  start("a", 5s);
  ready(1);
  complete_with_file(1, "a");
  ASSERT_EQ(save_requests_.size(), 1U);
  start("b");
  ready(2);
  complete(2, "b");
  EXPECT_TRUE(ended<run::Completed>("b"));
  wait(1min);  // past its deadline, which no longer applies
  EXPECT_FALSE(ends_.contains("a")) << "the end must not be committed before the file is saved";
  calls();
  start("c");
  EXPECT_THAT(calls(), ElementsAre("run 2")) << "the file is in the folder of runner 1";
  complete(2, "c");
  saved(0);
  const auto* completed = ended<run::Completed>("a");
  ASSERT_TRUE(completed);
  ASSERT_TRUE(completed->file);
  EXPECT_EQ(completed->file->format, "csv");
  EXPECT_LT(usages_["a"].wall_us, 1'000'000U) << "the move does not count as run time";
  start("d");
  start("e");
  EXPECT_THAT(calls(), ElementsAre("empty_out 1", "run 1", "run 2"));
}

TEST_F(PoolTest, KeepsTheFileOfARunnerThatDiesAfterItsOutcome) {
  open();
  start("a");
  ready(1);
  complete_with_file(1, "a");
  exit(1, SIGKILL);
  EXPECT_FALSE(ends_.contains("a"));
  EXPECT_THAT(processes_->released, IsEmpty()) << "the file is in its scratch folder";
  saved(0);
  EXPECT_TRUE(ended<run::Completed>("a"));
  EXPECT_THAT(processes_->released, ElementsAre(1U));
}

TEST_F(PoolTest, FailsARunWhoseFileCannotBeSaved) {
  open();
  start("a");
  ready(1);
  complete_with_file(1, "a");
  saved(0, Error{Errc::kIo, "disk full"});
  const auto* failed = ended<run::Failed>("a");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->failure.code, "result_file");
  EXPECT_EQ(failed->failure.message, "disk full");
}

TEST_F(PoolTest, CancelsASlowMoveOnStop) {
  open();
  start("a");
  start("b");
  ready(1);
  ready(2);
  complete_with_file(1, "a");
  complete_with_file(2, "b");
  calls();
  pools_->stop(LockToken("a"), StopReason::kCancel, "me", "enough");
  EXPECT_TRUE(*save_requests_[0].first.cancelled);
  EXPECT_FALSE(*save_requests_[1].first.cancelled);
  EXPECT_THAT(calls(), IsEmpty()) << "the runner has finished";
  saved(0, Error{Errc::kStopping, "cancelled"});
  EXPECT_TRUE(ended<run::Cancelled>("a"));
  auto closed = pools_->close();
  wait(0ms);
  EXPECT_TRUE(*save_requests_[1].first.cancelled);
  exit(1);
  exit(2);
  EXPECT_FALSE(closed.ready());
  saved(1);  // it was saved already
  EXPECT_TRUE(ended<run::Completed>("b"));
  EXPECT_TRUE(closed.ready());
}

TEST_F(PoolTest, TreatsASecondOutcomeAsABrokenFrame) {
  open();
  start("a");
  ready(1);
  complete_with_file(1, "a");
  calls();
  complete(1, "a");
  EXPECT_THAT(calls(), ElementsAre("kill 1"));
  exit(1, SIGKILL);
  saved(0);
  EXPECT_TRUE(ended<run::Completed>("a"));
}

}  // namespace
}  // namespace gaur
