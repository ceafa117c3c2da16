#include "app/size/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/look/statistics.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

constexpr double kMemoryMargin = 1.2;  // the ledger adds the same margin to learned needs
constexpr double kBusy = 0.1;          // share of the cores; more use by others distorts the measurement
constexpr double kWorthIt = 1.05;      // minimum gain in throughput of a larger width

const WidthMeasure& measured_at(const SizeInputs& inputs, std::uint32_t width) {
  const WidthMeasure* found = nullptr;
  for (const WidthMeasure& measure : inputs.widths) {
    if (measure.run_ms.empty()) continue;
    if (found == nullptr || measure.width <= width) found = &measure;
  }
  return *found;
}

/// Rounded up to whole MB, the unit of the recommendation.
std::uint64_t whole_megabytes(double bytes) {
  return static_cast<std::uint64_t>(std::ceil(bytes / 1e6)) * 1'000'000;
}

std::uint32_t times(std::uint64_t whole, std::uint64_t part) {
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, whole / std::max<std::uint64_t>(1, part)));
}

/// Uses the runs at the width by speed: a run alone has all threads and memory, and uses more.
void by_memory(const SizeInputs& inputs, SizePlan& plan) {
  const Spread peak = spread_of(measured_at(inputs, plan.by_speed).peak_bytes);
  if (peak.count == 0 || peak.p95 <= 0) {
    plan.why.emplace_back("memory: not measured, so it does not limit the slots; set needs.memory by hand");
    return;
  }
  plan.needs.memory_bytes = whole_megabytes(peak.p95 * kMemoryMargin);
  plan.by_memory = times(inputs.capacity.memory_bytes, plan.needs.memory_bytes);
  plan.why.push_back(fmt::format(
      "memory: peak p95 {} x {} = {} a run; {} / {} = {} at a time",
      human_bytes(static_cast<std::uint64_t>(peak.p95)), kMemoryMargin, human_bytes(plan.needs.memory_bytes),
      human_bytes(inputs.capacity.memory_bytes), human_bytes(plan.needs.memory_bytes), plan.by_memory));
}

void by_speed(const SizeInputs& inputs, SizePlan& plan) {
  double best = 0;
  for (const WidthMeasure& measure : inputs.widths) {
    if (measure.run_ms.empty()) continue;
    const double rate = measure.per_second();
    if (best == 0 || rate >= best * kWorthIt) {
      if (best > 0)
        plan.why.push_back(
            fmt::format("speed: {} concurrent runs complete {:.2f} a second, {:+.0f} % over the best before",
                        measure.width, rate, (rate / best - 1) * 100));
      best = std::max(best, rate);
      plan.by_speed = measure.width;
    } else {
      plan.why.push_back(
          fmt::format("speed: {} concurrent runs complete {:.2f} a second, {:+.0f} %: too little gain",
                      measure.width, rate, (rate / best - 1) * 100));
    }
  }
  if (!inputs.explored_all && plan.by_speed == inputs.widths.back().width)
    plan.why.emplace_back(
        "speed: the budget expired while throughput still grew: more slots may be faster (--budget)");
}

/// Fewer slots leave more cores to each run, so slots and cores are computed together until all runs fit.
void by_cores(const SizeInputs& inputs, SizePlan& plan) {
  Spread cores;
  while (true) {
    const WidthMeasure& at = measured_at(inputs, plan.slots);
    cores = spread_of(at.cores);
    plan.at_width = at.width;
    plan.needs.cores =
        std::min(inputs.capacity.cores, std::max(inputs.least_cores, std::ceil(cores.mean * 10 - 1e-6) / 10));
    plan.by_cores = static_cast<std::uint32_t>(
        std::max(1.0, std::floor(inputs.capacity.cores / plan.needs.cores + 1e-9)));
    if (plan.slots <= plan.by_cores) break;
    plan.slots = plan.by_cores;
  }
  plan.why.push_back(fmt::format(
      "cores: a run uses {:.1f} on average when {}, and gets {:g}; {:g} / {:g} = {} at a time", cores.mean,
      plan.at_width == 1 ? "alone" : fmt::format("{} run concurrently", plan.at_width), plan.needs.cores,
      inputs.capacity.cores, plan.needs.cores, plan.by_cores));
}

}  // namespace

std::vector<std::uint32_t> widths_to_measure(std::uint32_t most) {
  std::vector<std::uint32_t> widths;
  for (std::uint32_t width = 1; width < most; width *= 2) widths.push_back(width);
  widths.push_back(std::max(1U, most));
  return widths;
}

std::uint32_t widest(const Resources& capacity, const WidthMeasure& alone, std::uint32_t at_once) {
  const double cores = std::max(0.1, spread_of(alone.cores).mean);
  const double by_cores =
      std::ceil(capacity.cores / cores) * 2;  // waiting for disks and caches leaves cores idle
  const Spread peak = spread_of(alone.peak_bytes);
  const double by_memory =
      peak.p95 <= 0 ? by_cores : static_cast<double>(capacity.memory_bytes) / (peak.p95 * kMemoryMargin);
  const double most =
      std::min({by_cores, by_memory, static_cast<double>(at_once), 4 * std::ceil(capacity.cores)});
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(most)));
}

SizePlan plan_size(const SizeInputs& inputs) {
  SizePlan plan;
  const WidthMeasure& alone = measured_at(inputs, 1);
  const Spread run = spread_of(alone.run_ms);
  plan.why.push_back(fmt::format("alone: {} runs, p50 {}, p95 {}, {:.1f} cores", run.count, ms_text(run.p50),
                                 ms_text(run.p95), spread_of(alone.cores).mean));
  if (inputs.other_cores > inputs.capacity.cores * kBusy) {
    plan.why.push_back(
        fmt::format("busy: other processes used {:.1f} cores meanwhile: measure again on an idle machine",
                    inputs.other_cores));
  }
  by_speed(inputs, plan);
  by_memory(inputs, plan);
  plan.slots = plan.by_memory == 0 ? plan.by_speed : std::min(plan.by_speed, plan.by_memory);
  plan.slots = std::max(1U, plan.slots);
  by_cores(inputs, plan);
  plan.why.push_back(fmt::format(
      "slots: the smallest of {} by speed, {} by memory and {} by cores = {}", plan.by_speed,
      plan.by_memory == 0 ? std::string("any") : std::to_string(plan.by_memory), plan.by_cores, plan.slots));
  estimate_waits(inputs, plan, measured_at(inputs, plan.slots).run_ms);
  return plan;
}

void set_memory(const SizeInputs& inputs, SizePlan& plan, std::uint64_t bytes) {
  plan.needs.memory_bytes =
      std::min(whole_megabytes(static_cast<double>(bytes)), inputs.capacity.memory_bytes);
  plan.by_memory = times(inputs.capacity.memory_bytes, plan.needs.memory_bytes);
  plan.slots = std::min(plan.slots, plan.by_memory);
}

void estimate_waits(const SizeInputs& inputs, SizePlan& plan, const std::vector<double>& run_ms) {
  plan.loads.clear();
  plan.bursts.clear();
  const QueueingInputs queueing{.run_ms = run_ms, .slots = plan.slots};
  const double most = capacity(queueing);
  for (const double share : {0.5, 0.7, 0.8, 0.9, 0.95}) {
    plan.loads.push_back({share, most * share * 60, steady_waits(queueing, most * share)});
  }
  for (const std::uint32_t slots : {std::max(1U, plan.slots / 2), plan.slots, plan.slots * 2}) {
    if (!plan.bursts.empty() && plan.bursts.back().slots == slots) continue;
    if (slots > plan.slots && measured_at(inputs, slots).width < slots) continue;  // not measured
    const QueueingInputs one{.run_ms = slots == plan.slots ? run_ms : measured_at(inputs, slots).run_ms,
                             .slots = slots};
    plan.bursts.push_back({slots, burst_waits(one, inputs.at_once)});
  }
}

}  // namespace gaur::app
