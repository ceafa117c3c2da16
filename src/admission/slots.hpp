#pragma once
// The number of slots of a machine, with the calculation as text. A slot is the share of the capacity that a
// function without configured needs gets. It is neither a process nor a limit: the ledger counts cores and
// memory. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>

#include "core/human_text.hpp"

namespace gaur {

struct SlotInputs {
  /// Of the machine (or of its cgroup).
  double cores = 1;
  /// Of the machine (or of its cgroup).
  std::uint64_t memory_bytes = 0;
  /// Not granted to jobs. Default: a tenth of the memory, at least 512 MB, at most 8 GB, never over half.
  std::optional<std::uint64_t> reserve_bytes{};
  /// Configured; default: computed.
  std::optional<std::uint32_t> slots{};
  /// The origin of configured slots, for SlotPlan::text; "": "as configured".
  std::string why{};
};

struct SlotPlan {
  /// At least 1.
  std::uint32_t slots = 1;
  /// What the ledger may grant: all cores, and memory minus the reserve.
  Resources capacity{};
  /// Capacity / slots.
  Resources share{};
  std::uint64_t reserve_bytes = 0;
  /// The calculation as one line of text.
  std::string text;
};

/// Default: slots = min(cores / cores per slot, capacity in GB), at least 1. A slot has a quarter of the
/// cores, at least 1 and at most 6: four wide queries run on 24 cores, and no query gets less than one core.
SlotPlan plan_slots(const SlotInputs& inputs);

}  // namespace gaur
