// A run whose result is a file ends when the file is on disk.
#include "pool_fixture.hpp"

namespace gaur {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(PoolTest, ASlowMoveOfAFileHoldsUpItsOwnRunOnly) {
  PoolOptions pool;
  pool.idle_after = 1h;
  pool.max_runners = 2;
  open(pool);
  start("a", 5s);
  ready(1);
  complete_with_file(1, "a");
  ASSERT_EQ(adoptions_.size(), 1U);
  start("b");
  ready(2);
  complete(2, "b");
  EXPECT_TRUE(ended<run::Completed>("b"));
  wait(1min);  // past its deadline: the runner has done its part
  EXPECT_FALSE(ends_.contains("a")) << "its end must not be committed before its file is on disk";
  calls();
  start("c");
  EXPECT_THAT(calls(), ElementsAre("run 2")) << "the file lies in the folder of runner 1";
  complete(2, "c");
  saved(0);
  const auto* completed = ended<run::Completed>("a");
  ASSERT_TRUE(completed);
  EXPECT_NE(completed->result.find("\"file\""), std::string::npos);
  EXPECT_LT(usages_["a"].wall_us, 1'000'000U) << "the move is no part of the run";
  start("d");
  start("e");
  EXPECT_THAT(calls(), testing::UnorderedElementsAre("run 1", "run 2"));
}

TEST_F(PoolTest, ARunnerThatDiesAfterItsAnswerLosesNothing) {
  open();
  start("a");
  ready(1);
  complete_with_file(1, "a");
  exit(1, SIGKILL);
  EXPECT_FALSE(ends_.contains("a"));
  EXPECT_THAT(shell_->released, IsEmpty()) << "the file lies in its scratch";
  saved(0);
  EXPECT_TRUE(ended<run::Completed>("a"));
  EXPECT_THAT(shell_->released, ElementsAre(1U));
}

TEST_F(PoolTest, AFileThatCannotBeKeptFailsItsRun) {
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

TEST_F(PoolTest, AStopCutsASlowMoveShort) {
  open();
  start("a");
  start("b");
  ready(1);
  ready(2);
  complete_with_file(1, "a");
  complete_with_file(2, "b");
  calls();
  pools_->stop(LockToken("a"), StopReason::kCancel, "me", "enough");
  EXPECT_TRUE(*adoptions_[0].first.abandoned);
  EXPECT_FALSE(*adoptions_[1].first.abandoned);
  EXPECT_THAT(calls(), IsEmpty()) << "the runner has done its part";
  saved(0, Error{Errc::kStopping, "abandoned"});
  EXPECT_TRUE(ended<run::Cancelled>("a"));
  auto closed = pools_->close();
  wait(0ms);
  EXPECT_TRUE(*adoptions_[1].first.abandoned);
  exit(1);
  exit(2);
  EXPECT_FALSE(closed.ready());
  saved(1);  // it was on disk already
  EXPECT_TRUE(ended<run::Completed>("b"));
  EXPECT_TRUE(closed.ready());
}

TEST_F(PoolTest, AnAnswerAfterTheAnswerIsABrokenFrame) {
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
