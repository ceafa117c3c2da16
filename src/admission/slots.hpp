#pragma once
// How many slots a machine has, and the sum that says why. A slot is a share of the box that a function gets
// when nothing is said about its needs; it is no process and no limit of its own: the ledger counts cores and
// memory. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>

#include "core/human_text.hpp"

namespace gaur {

struct SlotInputs {
  double cores = 1;                              ///< of the machine (or of its cgroup)
  std::uint64_t memory_bytes = 0;                ///< of the machine (or of its cgroup)
  std::optional<std::uint64_t> reserve_bytes{};  ///< kept from the jobs. Default: a tenth, at least 512 MB,
                                                 ///< at most 8 GB, never over half
  std::optional<std::uint32_t> slots{};          ///< configured; default: computed
  std::string why{};                             ///< where configured slots come from; "": "as configured"
};

struct SlotPlan {
  std::uint32_t slots = 1;  ///< at least 1
  Resources capacity{};     ///< what the ledger may grant: all cores, memory less the reserve
  Resources share{};        ///< box / slots
  std::uint64_t reserve_bytes = 0;
  std::string text;  ///< the sum in words, one line
};

/// Automatic: slots = min(cores / cores a slot, memory of the box / 1 GB), at least 1, where a slot has a
/// quarter of the cores, at least 1 and at most 6: that keeps four wide queries going on 24 cores, and never
/// gives a query less than a core.
SlotPlan plan_slots(const SlotInputs& inputs);

}  // namespace gaur
