// The number of slots and the sum that explains it.
#include "admission/slots.hpp"

#include <gtest/gtest.h>

namespace gaur {
namespace {

constexpr std::uint64_t kGB = 1'000'000'000;

struct Case {
  const char* what;
  SlotInputs inputs;
  std::uint32_t slots;
  double share_cores;
  std::uint64_t share_memory;
};

TEST(Slots, FollowFromTheMachine) {
  const Case cases[] = {
      {"the seed's machine: four wide slots", {.cores = 24, .memory_bytes = 128 * kGB}, 4, 6, 30 * kGB},
      {"a developer's machine", {.cores = 8, .memory_bytes = 16 * kGB}, 4, 2, (16 * kGB - 16 * kGB / 10) / 4},
      {"two cores: one each", {.cores = 2, .memory_bytes = 8 * kGB}, 2, 1, (8 * kGB - 8 * kGB / 10) / 2},
      {"little memory: fewer slots than cores",
       {.cores = 8, .memory_bytes = 3 * kGB},
       2,
       4,
       (3 * kGB - 512'000'000) / 2},
      {"hardly any memory: still one slot", {.cores = 4, .memory_bytes = 600'000'000}, 1, 4, 300'000'000},
      {"many cores: slots of six", {.cores = 64, .memory_bytes = 256 * kGB}, 10, 6.4, 248 * kGB / 10},
      {"configured",
       {.cores = 24, .memory_bytes = 128 * kGB, .reserve_bytes = 28 * kGB, .slots = 5},
       5,
       4.8,
       20 * kGB},
      {"zero configured counts as one",
       {.cores = 2, .memory_bytes = 8 * kGB, .reserve_bytes = 0, .slots = 0},
       1,
       2,
       8 * kGB},
      {"a part of a core (cgroup)", {.cores = 0.5, .memory_bytes = 4 * kGB}, 1, 0.5, 4 * kGB - 512'000'000},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const SlotPlan plan = plan_slots(c.inputs);
    EXPECT_EQ(plan.slots, c.slots);
    EXPECT_DOUBLE_EQ(plan.share.cores, c.share_cores);
    EXPECT_EQ(plan.share.memory_bytes, c.share_memory);
    EXPECT_EQ(plan.capacity.memory_bytes + plan.reserve_bytes, c.inputs.memory_bytes);
  }
}

TEST(Slots, ExplainTheCalculation) {
  EXPECT_EQ(plan_slots({.cores = 24, .memory_bytes = 128 * kGB}).text,
            "4 slots: the smaller of 24 cores / 6 cores a slot = 4 and (128.0 GB memory - 8.0 GB reserve = "
            "120.0 GB) / at least 1.0 GB a slot = 120; "
            "a slot's share is 6 cores and 30.0 GB");
  EXPECT_EQ(
      plan_slots({.cores = 2, .memory_bytes = 9 * kGB, .reserve_bytes = kGB, .slots = 1}).text,
      "1 slot: as configured; 9.0 GB memory - 1.0 GB reserve = 8.0 GB; a slot's share is 2 cores and 8.0 GB");
}

TEST(Slots, FormatsHumanUnits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1500), "2 kB");
  EXPECT_EQ(human_bytes(512'000'000), "512 MB");
  EXPECT_EQ(human_bytes(6 * kGB), "6.0 GB");
  EXPECT_EQ(human_bytes(2'500 * kGB), "2.5 TB");
  EXPECT_EQ(human_cores(1), "1 core");
  EXPECT_EQ(human_cores(2.5), "2.5 cores");
  EXPECT_EQ(human_resources({6, 6 * kGB}), "6 cores and 6.0 GB");
}

}  // namespace
}  // namespace gaur
