#include <gmock/gmock.h>

#include <limits>

#include "base/manual_env.hpp"
#include "core/semantics.hpp"

namespace gaur {
namespace {

using namespace std::chrono_literals;
using Kind = Backoff::Kind;

struct FixedRandom final : Random {
  std::uint64_t value = 0;
  std::uint64_t next() override { return value; }
};

TEST(Backoff, FollowsFormulaOfDialect) {
  struct Case {
    const char* name;
    Backoff backoff;
    std::uint32_t attempts_made;
    Duration bullmq, bull;
  };
  FixedRandom random;
  for (const auto& [name, backoff, attempts, bullmq, bull] : std::vector<Case>{
           {"none", {}, 1, 0ms, 0ms},
           {"fixed, first", {Kind::kFixed, 1000ms, 0}, 1, 1000ms, 1000ms},
           {"fixed, tenth", {Kind::kFixed, 1000ms, 0}, 10, 1000ms, 1000ms},
           {"exponential, first", {Kind::kExponential, 1000ms, 0}, 1, 1000ms, 1000ms},
           {"exponential, second", {Kind::kExponential, 1000ms, 0}, 2, 2000ms, 3000ms},
           {"exponential, third", {Kind::kExponential, 1000ms, 0}, 3, 4000ms, 7000ms},
           {"exponential, tenth", {Kind::kExponential, 1000ms, 0}, 10, 512'000ms, 1'023'000ms},
           {"no attempt counts as the first", {Kind::kExponential, 1000ms, 0}, 0, 1000ms, 1000ms},
           {"exponential of nothing", {Kind::kExponential, 0ms, 0}, 5, 0ms, 0ms},
       }) {
    EXPECT_EQ(backoff_delay(backoff, attempts, Semantics::bullmq(), random), bullmq) << name << ", bullmq";
    EXPECT_EQ(backoff_delay(backoff, attempts, Semantics::bull(), random), bull) << name << ", bull";
  }
}

TEST(Backoff, IsCappedAtTenYears) {
  FixedRandom random;
  constexpr Duration kTenYears = std::chrono::hours(24 * 365 * 10);
  for (const std::uint32_t attempts : {60U, 64U, 1'000U, std::numeric_limits<std::uint32_t>::max()}) {
    EXPECT_EQ(backoff_delay({Kind::kExponential, 1s, 0}, attempts, Semantics::bullmq(), random), kTenYears);
    EXPECT_EQ(backoff_delay({Kind::kExponential, 1s, 0}, attempts, Semantics::bull(), random), kTenYears);
    EXPECT_EQ(backoff_delay({Kind::kExponential, 0s, 0}, attempts, Semantics::bullmq(), random), 0s);
  }
  EXPECT_EQ(backoff_delay({Kind::kFixed, Duration::max(), 0}, 1, Semantics::bullmq(), random), kTenYears);
}

TEST(Backoff, RandomizesOnlyTheShareOfJitter) {
  struct Case {
    double jitter;
    std::uint64_t drawn;
    Duration expected;
  };
  FixedRandom random;
  const auto most = ~std::uint64_t{0};
  for (const auto& [jitter, drawn, expected] : std::vector<Case>{
           {0.0, most, 1000ms},
           {0.25, 0, 750ms},
           {0.25, std::uint64_t{3} << 62, 937ms},
           {1.0, 0, 0ms},
           {1.0, std::uint64_t{1} << 63, 500ms},
           {1.0, std::uint64_t{3} << 62, 750ms},
       }) {
    random.value = drawn;
    EXPECT_EQ(backoff_delay({Kind::kFixed, 1000ms, jitter}, 1, Semantics::bullmq(), random), expected)
        << jitter << " " << drawn;
  }
}

TEST(Backoff, StaysWithinBoundsWithJitter) {
  SeededRandom random(42);
  Duration lowest = Duration::max();
  Duration highest{0};
  for (int i = 0; i < 10'000; ++i) {
    const auto wait = backoff_delay({Kind::kExponential, 1000ms, 0.5}, 2, Semantics::bullmq(), random);
    lowest = std::min(lowest, wait);
    highest = std::max(highest, wait);
  }
  EXPECT_GE(lowest, 1000ms);
  EXPECT_LT(lowest, 1010ms);
  EXPECT_LT(highest, 2000ms);
  EXPECT_GT(highest, 1990ms);
}

}  // namespace
}  // namespace gaur
