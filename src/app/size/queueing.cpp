#include "app/size/queueing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <random>

namespace gaur::app {
namespace {

/// The times at which the slots become free, the earliest first.
class Slots {
 public:
  explicit Slots(std::uint32_t count) {
    for (std::uint32_t i = 0; i < std::max(1U, count); ++i) free_.push(0);
  }
  /// Returns the start of a job that arrives at `now` and runs for `run_ms`.
  double serve(double now, double run_ms) {
    const double start = std::max(now, free_.top());
    free_.pop();
    free_.push(start + run_ms);
    return start;
  }

 private:
  std::priority_queue<double, std::vector<double>, std::greater<>> free_;
};

/// Random draws that are the same on every machine; the standard distributions differ between libraries.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}
  double unit() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }
  double exponential(double mean) { return -std::log1p(-unit()) * mean; }
  double one_of(const std::vector<double>& values) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(unit() * static_cast<double>(values.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace

double capacity(const QueueingInputs& inputs) {
  const double mean = std::accumulate(inputs.run_ms.begin(), inputs.run_ms.end(), 0.0) /
                      static_cast<double>(inputs.run_ms.size());
  return mean <= 0 ? 0 : inputs.slots * 1000.0 / mean;
}

Spread steady_waits(const QueueingInputs& inputs, double per_second, std::uint32_t jobs) {
  Draws draws(inputs.seed);
  Slots slots(inputs.slots);
  std::vector<double> waits;
  waits.reserve(jobs);
  const std::uint32_t warm_up = jobs / 10;
  double now = 0;
  for (std::uint32_t i = 0; i < warm_up + jobs; ++i) {
    now += draws.exponential(1000.0 / per_second);
    const double start = slots.serve(now, draws.one_of(inputs.run_ms));
    if (i >= warm_up) waits.push_back(start - now);
  }
  return spread_of(std::move(waits));
}

Burst burst_waits(const QueueingInputs& inputs, std::uint32_t count, std::uint32_t rounds) {
  Draws draws(inputs.seed);
  Burst mean;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    Slots slots(inputs.slots);
    std::vector<double> waits;
    double last = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const double run = draws.one_of(inputs.run_ms);
      waits.push_back(slots.serve(0, run));
      last = std::max(last, waits.back() + run);
    }
    const Spread one = spread_of(std::move(waits));
    mean.wait_ms.count = one.count;
    mean.wait_ms.p50 += one.p50 / rounds;
    mean.wait_ms.p95 += one.p95 / rounds;
    mean.wait_ms.most += one.most / rounds;
    mean.wait_ms.mean += one.mean / rounds;
    mean.last_done_ms += last / rounds;
  }
  return mean;
}

}  // namespace gaur::app
