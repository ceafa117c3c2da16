#include "runner/output_budget.hpp"

#include <gtest/gtest.h>

namespace gaur {
namespace {

constexpr std::uint64_t kLine = 900;  // 1000 with its overhead
const Instant kStart{Duration(1'000'000)};

TEST(OutputBudget, LimitsTheOutputOfOneRun) {
  OutputBudget budget({.per_run = 10'000, .per_second = 0});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take(kLine, kStart)) << i;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(budget.take(kLine, kStart + Duration(10'000)));
  EXPECT_FALSE(budget.second_ended(kStart + Duration(20'000))) << "the run's limit lasts until its end";
  const auto dropped = budget.report();
  EXPECT_EQ(dropped.lines, 5U);
  EXPECT_EQ(dropped.bytes, 5 * kLine);
  EXPECT_EQ(budget.report().lines, 0U);
  budget.begin_run();
  EXPECT_TRUE(budget.take(kLine, kStart + Duration(10'000)));
}

TEST(OutputBudget, LimitsTheOutputOfOneSecond) {
  OutputBudget budget({.per_run = 0, .per_second = 3'000});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(kLine, kStart));
  EXPECT_FALSE(budget.take(kLine, kStart + Duration(999)));
  EXPECT_FALSE(budget.second_ended(kStart + Duration(999)));
  EXPECT_TRUE(budget.second_ended(kStart + Duration(1'000)));
  EXPECT_EQ(budget.report().lines, 1U);
  EXPECT_FALSE(budget.second_ended(kStart + Duration(1'000)));
  EXPECT_TRUE(budget.take(kLine, kStart + Duration(1'000)));
  budget.begin_run();
  EXPECT_TRUE(budget.take(kLine, kStart + Duration(1'001)));
  EXPECT_TRUE(budget.take(kLine, kStart + Duration(1'002)));
  EXPECT_FALSE(budget.take(kLine, kStart + Duration(1'003))) << "short runs share their second";
}

TEST(OutputBudget, CountsEmptyLinesAndHasNoLimitsAtZero) {
  OutputBudget budget({.per_run = 1'000, .per_second = 0});
  int taken = 0;
  for (int i = 0; i < 1'000; ++i) taken += budget.take(0, kStart) ? 1 : 0;
  EXPECT_EQ(taken, 10);
  OutputBudget none({});
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(none.take(1 << 20, kStart));
}

}  // namespace
}  // namespace gaur
