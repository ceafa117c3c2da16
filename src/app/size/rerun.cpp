#include "app/size/rerun.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "app/look/statistics.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kMostReruns = 8;
constexpr double kRaise = 1.5;
constexpr double kSlower = 1.4;     // a run that is slower by this factor spills or reads data twice
constexpr double kSlowerByMs = 10;  // smaller differences are ignored

std::uint32_t threads_of(const Needs& needs) {
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(needs.cores)));
}

class PlanRerun {
 public:
  PlanRerun(const SizeInputs& inputs, SizePlan& plan, const MeasureAt& measure)
      : inputs_(inputs), plan_(plan), measure_(measure) {}

  std::vector<Rerun> run() {
    std::vector<Rerun> reruns;
    while (reruns.size() < kMostReruns) {
      reruns.push_back(rerun());
      if (reruns.back().confirmed || !raise()) break;
    }
    return reruns;
  }

 private:
  /// The whole memory divided among the slots.
  std::uint64_t most_memory() const { return inputs_.capacity.memory_bytes / plan_.slots; }

  /// The same runs with most_memory() each: the reference for a slowdown by too little memory.
  const WidthMeasure& with_most_memory() {
    const auto found = with_most_memory_.find(plan_.slots);
    if (found != with_most_memory_.end()) return found->second;
    return with_most_memory_[plan_.slots] = measure_(plan_.slots, threads_of(plan_.needs), most_memory());
  }

  Rerun rerun() {
    Rerun made;
    made.slots = plan_.slots;
    made.needs = plan_.needs;
    const std::uint64_t memory = plan_.needs.memory_bytes == 0 ? most_memory() : plan_.needs.memory_bytes;
    made.measure = measure_(plan_.slots, threads_of(plan_.needs), memory);
    const std::size_t runs = made.measure.run_ms.size() + made.measure.failed;
    const std::string what =
        fmt::format("rerun: {} at a time with {} and {:g} {} each", made.slots, human_bytes(memory),
                    made.needs.cores, made.needs.cores == 1 ? "core" : "cores");
    if (made.measure.failed > 0 || made.measure.run_ms.empty()) {
      made.text =
          fmt::format("{}: {} of {} runs failed ({})", what, made.measure.failed, runs, made.measure.failure);
      return made;
    }
    const double median = spread_of(made.measure.run_ms).p50;
    const WidthMeasure& most = with_most_memory();
    made.max_memory_p50_ms = most.run_ms.empty() ? 0 : spread_of(most.run_ms).p50;
    const bool slow = made.max_memory_p50_ms > 0 && median > made.max_memory_p50_ms * kSlower &&
                      median > made.max_memory_p50_ms + kSlowerByMs;
    made.confirmed = !slow;
    made.text = fmt::format("{}: {} runs, p50 {}, {} with {} each: {}", what, runs, ms_text(median),
                            ms_text(made.max_memory_p50_ms), human_bytes(most_memory()),
                            slow ? "slower, too little memory" : "confirmed");
    if (made.confirmed) estimate_waits(inputs_, plan_, made.measure.run_ms);
    return made;
  }

  /// Raises the memory, and reduces the slots if needed; false: neither is possible.
  bool raise() {
    const std::uint64_t was = plan_.needs.memory_bytes;
    if (was == 0) return fewer();
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(was) * kRaise);
    if (wanted > most_memory() && was < most_memory()) {
      set_memory(inputs_, plan_, most_memory() / 1'000'000 * 1'000'000);
      if (plan_.needs.memory_bytes > was) return true;
    }
    set_memory(inputs_, plan_, wanted);
    return plan_.needs.memory_bytes > was || fewer();
  }

  bool fewer() {
    if (plan_.slots == 1) return false;
    plan_.slots /= 2;
    return true;
  }

  const SizeInputs& inputs_;
  SizePlan& plan_;
  const MeasureAt& measure_;
  std::map<std::uint32_t, WidthMeasure> with_most_memory_;
};

}  // namespace

std::vector<Rerun> rerun_plan(const SizeInputs& inputs, SizePlan& plan, const MeasureAt& measure) {
  return PlanRerun(inputs, plan, measure).run();
}

}  // namespace gaur::app
