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
constexpr double kSlower = 1.4;     // beyond it a run is markedly slower: it spills, or reads twice
constexpr double kSlowerByMs = 10;  // below it no difference counts

std::uint32_t threads_of(const Needs& needs) {
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(needs.cores)));
}

class Prover {
 public:
  Prover(const SizeInputs& inputs, SizePlan& plan, const MeasureAt& measure)
      : inputs_(inputs), plan_(plan), measure_(measure) {}

  std::vector<Rerun> run() {
    std::vector<Rerun> reruns;
    while (reruns.size() < kMostReruns) {
      reruns.push_back(rerun());
      if (reruns.back().held || !raise()) break;
    }
    return reruns;
  }

 private:
  /// All the memory that each of so many can have.
  std::uint64_t most_memory() const { return inputs_.capacity.memory_bytes / plan_.slots; }

  /// The same runs with all that memory: what they are slower than, they are slower than for want of it.
  const WidthMeasure& roomy() {
    const auto found = roomy_.find(plan_.slots);
    if (found != roomy_.end()) return found->second;
    return roomy_[plan_.slots] = measure_(plan_.slots, threads_of(plan_.needs), most_memory());
  }

  Rerun rerun() {
    Rerun made;
    made.slots = plan_.slots;
    made.needs = plan_.needs;
    const std::uint64_t memory = plan_.needs.memory_bytes == 0 ? most_memory() : plan_.needs.memory_bytes;
    made.measure = measure_(plan_.slots, threads_of(plan_.needs), memory);
    const std::size_t runs = made.measure.run_ms.size() + made.measure.failed;
    const std::string what =
        fmt::format("rerun: {} side by side with {} and {:g} {} each", made.slots, human_bytes(memory),
                    made.needs.cores, made.needs.cores == 1 ? "core" : "cores");
    if (made.measure.failed > 0 || made.measure.run_ms.empty()) {
      made.words =
          fmt::format("{}: {} of {} runs failed ({})", what, made.measure.failed, runs, made.measure.failure);
      return made;
    }
    const double median = spread_of(made.measure.run_ms).p50;
    const WidthMeasure& most = roomy();
    made.roomy_p50_ms = most.run_ms.empty() ? 0 : spread_of(most.run_ms).p50;
    const bool slow = made.roomy_p50_ms > 0 && median > made.roomy_p50_ms * kSlower &&
                      median > made.roomy_p50_ms + kSlowerByMs;
    made.held = !slow;
    made.words = fmt::format("{}: {} runs, p50 {}, {} with {} each: {}", what, runs, ms_words(median),
                             ms_words(made.roomy_p50_ms), human_bytes(most_memory()),
                             slow ? "too little memory, it is slower" : "held");
    if (made.held) estimate_waits(inputs_, plan_, made.measure.run_ms);
    return made;
  }

  /// The next more memory, fewer side by side where that is needed; false: there is no more.
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
  std::map<std::uint32_t, WidthMeasure> roomy_;
};

}  // namespace

std::vector<Rerun> rerun_plan(const SizeInputs& inputs, SizePlan& plan, const MeasureAt& measure) {
  return Prover(inputs, plan, measure).run();
}

}  // namespace gaur::app
