#pragma once
// Verifies recommended needs: reruns the function with them, and raises its memory if that fails or is slow.
// Thread-safety: pure, except for the caller's `measure`.
#include <functional>

#include "app/size/estimate.hpp"

namespace gaur::app {

/// Runs the function `width` at a time, each with this grant.
using MeasureAt =
    std::function<WidthMeasure(std::uint32_t width, std::uint32_t threads, std::uint64_t memory_bytes)>;

struct Rerun {
  std::uint32_t slots = 1;
  Needs needs{};
  WidthMeasure measure{};
  /// The median run time with the whole memory divided among as many runs; 0: not measured.
  double max_memory_p50_ms = 0;
  bool confirmed = false;
  /// The result as a sentence.
  std::string text{};
};

/// Reruns the plan and raises its memory (which reduces its slots) until no run fails and the median is not
/// much slower than with the whole memory; at most 8 reruns. Updates plan.needs, slots and waits. The last
/// rerun shows whether the plan is confirmed.
std::vector<Rerun> rerun_plan(const SizeInputs& inputs, SizePlan& plan, const MeasureAt& measure);

}  // namespace gaur::app
