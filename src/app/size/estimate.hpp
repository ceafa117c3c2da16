#pragma once
// Computes a number of slots from measured concurrent runs, and explains the computation. Thread-safety: pure
// functions.
#include <cstdint>
#include <string>
#include <vector>

#include "app/size/queueing.hpp"
#include "core/needs.hpp"

namespace gaur::app {

/// Measured runs of one function, `width` at a time.
struct WidthMeasure {
  std::uint32_t width = 1;
  std::uint32_t threads = 1;         ///< granted to each
  double seconds = 0;                ///< of the whole measurement
  std::vector<double> run_ms{};      ///< of the runs that completed
  std::vector<double> cores{};       ///< CPU time / run time of each run
  std::vector<double> peak_bytes{};  ///< peak resident memory of each run; empty: not measured
  std::uint32_t failed = 0;
  std::string failure{};  ///< of the first failed run

  double per_second() const { return seconds <= 0 ? 0 : static_cast<double>(run_ms.size()) / seconds; }
};

struct LoadRow {
  double share = 0;  ///< of the capacity
  double per_minute = 0;
  Spread wait_ms{};
};
struct BurstRow {
  std::uint32_t slots = 0;
  Burst burst{};
};

struct SizePlan {
  std::uint32_t slots = 1;
  std::uint32_t by_memory = 0;   ///< 0: memory was not measured
  std::uint32_t by_speed = 1;    ///< the width beyond which throughput gains less than 5 %
  std::uint32_t by_cores = 1;    ///< capacity.cores / needs.cores
  std::uint32_t at_width = 1;    ///< the measured width whose run times the waits below are based on
  Needs needs{};                 ///< recommended for one run
  std::vector<std::string> why;  ///< the computation, a line each
  std::vector<LoadRow> loads{};
  std::vector<BurstRow> bursts{};  ///< of `at_once` jobs: with half, the recommended and double the slots
};

struct SizeInputs {
  Resources capacity{};      ///< what the ledger can grant on this machine
  double least_cores = 0.1;  ///< minimum grant of a run: 1 in pools of kind duckdb
  std::uint32_t at_once = 100;
  std::vector<WidthMeasure> widths{};  ///< by width, at least one with a completed run
  double other_cores = 0;              ///< cores used by other processes meanwhile
  bool explored_all = true;            ///< false: the budget expired before all widths were measured
};
SizePlan plan_size(const SizeInputs& inputs);
/// Sets the memory of each run, and reduces the slots to the number that fits.
void set_memory(const SizeInputs& inputs, SizePlan& plan, std::uint64_t bytes);
/// Sets `loads` and `bursts` for these run times.
void estimate_waits(const SizeInputs& inputs, SizePlan& plan, const std::vector<double>& run_ms);

/// The widths to measure: 1, 2, 4 ... up to `most`, and `most` itself.
std::vector<std::uint32_t> widths_to_measure(std::uint32_t most);
/// The largest width to measure: twice what keeps every core busy, within memory and `at_once`.
std::uint32_t widest(const Resources& capacity, const WidthMeasure& alone, std::uint32_t at_once);

}  // namespace gaur::app
