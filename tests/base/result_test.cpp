#include "gaur/result.hpp"
#include "base/try.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <set>

namespace gaur {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Errc::kInvalidArgument, "must be even"};
  return n / 2;
}

Result<int> quarter(int n) {
  GAUR_TRY(const int once, half(n));
  GAUR_TRY(const int twice, half(once));
  return twice;
}

Status check_all(int n, int& steps) {
  GAUR_CHECK(half(n));
  ++steps;
  GAUR_CHECK(half(n / 2));
  ++steps;
  return ok();
}

Result<std::unique_ptr<int>> make_boxed(int n) {
  GAUR_TRY(const int value, half(n));
  return std::make_unique<int>(value);
}

Result<int> unboxed(int n) {
  GAUR_TRY(const std::unique_ptr<int> boxed, make_boxed(n));
  return *boxed;
}

TEST(Result, TryReturnsTheError) {
  EXPECT_EQ(quarter(12), Result<int>(3));
  EXPECT_EQ(quarter(6).error(), (Error{Errc::kInvalidArgument, "must be even"}));
}

TEST(Result, CheckStopsAtTheFirstError) {
  int steps = 0;
  EXPECT_FALSE(check_all(6, steps));
  EXPECT_EQ(steps, 1);
  EXPECT_TRUE(check_all(8, steps));
  EXPECT_EQ(steps, 3);
}

TEST(Result, TryMovesValuesThatCannotBeCopied) {
  EXPECT_EQ(unboxed(10), Result<int>(5));
  EXPECT_FALSE(unboxed(5));
}

TEST(Error, PrependsContextAndKeepsCode) {
  const Error inner{Errc::kStoreFull, "disk full"};
  EXPECT_EQ(inner.in("add to queue query"), (Error{Errc::kStoreFull, "add to queue query: disk full"}));
}

TEST(Error, HasUniqueNameForEveryCode) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Errc::kInternal); ++code) {
    const std::string_view name = to_string(static_cast<Errc>(code));
    EXPECT_TRUE(names.insert(name).second) << name << " names two codes";
    EXPECT_THAT(std::string(name), testing::MatchesRegex("[a-z_]+"));
  }
}

}  // namespace
}  // namespace gaur
