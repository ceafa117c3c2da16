#pragma once
// Simulates how long jobs wait for one of several slots, with the measured run times: waits depend on their
// spread, not only on their mean. Thread-safety: pure functions; deterministic.
#include <cstdint>
#include <vector>

#include "app/look/statistics.hpp"

namespace gaur::app {

struct QueueingInputs {
  /// Measured; at least one.
  std::vector<double> run_ms;
  std::uint32_t slots = 1;
  std::uint64_t seed = 1;
};

/// Waits of a steady stream: independent arrivals (Poisson), `per_second` on average, first in first out;
/// each run time is drawn from the measured ones. Simulates `jobs` jobs after a warm-up of a tenth of them.
Spread steady_waits(const QueueingInputs& inputs, double per_second, std::uint32_t jobs = 20'000);

/// Waits of `count` jobs that arrive at once at idle slots; the mean of the percentiles of `rounds` bursts.
struct Burst {
  /// Until the start.
  Spread wait_ms;
  double last_done_ms = 0;
};
Burst burst_waits(const QueueingInputs& inputs, std::uint32_t count, std::uint32_t rounds = 20);

/// Jobs per second at which all slots are busy all the time.
double capacity(const QueueingInputs& inputs);

}  // namespace gaur::app
