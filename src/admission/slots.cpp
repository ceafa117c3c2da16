#include "admission/slots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gaur {

namespace {

constexpr std::uint64_t kMB = 1'000'000;
constexpr std::uint64_t kGB = 1'000'000'000;
constexpr std::uint64_t kLeastMemoryOfASlot = kGB;

std::uint64_t usual_reserve(std::uint64_t memory) {
  return std::min(std::clamp(memory / 10, 512 * kMB, 8 * kGB), memory / 2);
}

}  // namespace

SlotPlan plan_slots(const SlotInputs& inputs) {
  SlotPlan plan;
  plan.reserve_bytes =
      std::min(inputs.reserve_bytes.value_or(usual_reserve(inputs.memory_bytes)), inputs.memory_bytes);
  plan.capacity = {std::max(inputs.cores, 0.01), inputs.memory_bytes - plan.reserve_bytes};
  const std::string memory =
      fmt::format("{} memory - {} reserve = {}", human_bytes(inputs.memory_bytes),
                  human_bytes(plan.reserve_bytes), human_bytes(plan.capacity.memory_bytes));
  std::string why;
  if (inputs.slots) {
    plan.slots = std::max(*inputs.slots, 1U);
    why = fmt::format("{}; {}", inputs.why.empty() ? "as configured" : inputs.why, memory);
  } else {
    const double wide = std::clamp(std::floor(plan.capacity.cores / 4), 1.0, 6.0);
    const auto by_cores = static_cast<std::uint64_t>(plan.capacity.cores / wide + 1e-9);
    const std::uint64_t by_memory = plan.capacity.memory_bytes / kLeastMemoryOfASlot;
    plan.slots =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(std::min(by_cores, by_memory), 1, 1024));
    why = fmt::format("the smaller of {} / {} a slot = {} and ({}) / at least {} a slot = {}{}",
                      human_cores(plan.capacity.cores), human_cores(wide), by_cores, memory,
                      human_bytes(kLeastMemoryOfASlot), by_memory,
                      std::min(by_cores, by_memory) == 0 ? ", but at least 1" : "");
  }
  plan.share = {plan.capacity.cores / plan.slots, plan.capacity.memory_bytes / plan.slots};
  plan.text = fmt::format("{} {}: {}; a slot's share is {}", plan.slots, plan.slots == 1 ? "slot" : "slots",
                          why, human_resources(plan.share));
  return plan;
}

}  // namespace gaur
