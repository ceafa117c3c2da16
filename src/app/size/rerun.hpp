#pragma once
// The proof of an advice: the function is run again as it would run under it, and what fails is raised.
// Thread-safety: pure but for the measuring that the caller hands in.
#include <functional>

#include "app/size/estimate.hpp"

namespace gaur::app {

/// Runs the function `width` at a time, each granted so much.
using MeasureAt =
    std::function<WidthMeasure(std::uint32_t width, std::uint32_t threads, std::uint64_t memory_bytes)>;

struct Rerun {
  std::uint32_t slots = 1;
  Needs needs{};
  WidthMeasure measure{};
  double roomy_p50_ms =
      0;  ///< median run beside as many others with all the memory there is; 0: not measured
  bool held = false;
  std::string words{};  ///< what held, or what did not
};

/// Reruns the plan, raising its memory (and so lowering its slots) until no run fails and none is markedly
/// slower than with all the memory there is; at most 8 reruns. Updates plan.needs, slots and waits. The last
/// one tells whether the advice held.
std::vector<Rerun> rerun_plan(const SizeInputs& inputs, SizePlan& plan, const MeasureAt& measure);

}  // namespace gaur::app
