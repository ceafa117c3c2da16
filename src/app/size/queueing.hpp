#pragma once
// How long jobs wait for one of several servers: simulated with the run times that were measured, because
// their spread, and not only their mean, makes the waits. Thread-safety: pure functions; the same input gives
// the same answer.
#include <cstdint>
#include <vector>

#include "app/look/statistics.hpp"

namespace gaur::app {

struct QueueingInputs {
  std::vector<double> run_ms;  ///< measured; at least one
  std::uint32_t slots = 1;
  std::uint64_t seed = 1;
};

/// Waits of a steady stream: arrivals are independent of each other (Poisson), `per_second` of them on
/// average, first in first out; each run time is drawn from the measured ones. `jobs` of them, after a tenth
/// that is thrown away.
Spread steady_waits(const QueueingInputs& inputs, double per_second, std::uint32_t jobs = 20'000);

/// Waits of `count` jobs that all come at once to idle slots; the mean of `rounds` bursts of its percentiles.
struct Burst {
  Spread wait_ms;  ///< until the start
  double last_done_ms = 0;
};
Burst burst_waits(const QueueingInputs& inputs, std::uint32_t count, std::uint32_t rounds = 20);

/// Jobs per second at which all slots are busy all the time.
double capacity(const QueueingInputs& inputs);

}  // namespace gaur::app
