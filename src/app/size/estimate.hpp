#pragma once
// From runs that were measured side by side to a number of slots, with the sums in words. Thread-safety: pure
// functions.
#include <cstdint>
#include <string>
#include <vector>

#include "app/size/queueing.hpp"
#include "core/needs.hpp"

namespace gaur::app {

/// Runs of one function, so many at a time.
struct WidthMeasure {
  std::uint32_t width = 1;
  std::uint32_t threads = 1;         ///< that each was granted
  double seconds = 0;                ///< of the whole measurement
  std::vector<double> run_ms{};      ///< of the runs that completed
  std::vector<double> cores{};       ///< CPU time / run time, of each
  std::vector<double> peak_bytes{};  ///< highest resident memory, of each; empty: not measured
  std::uint32_t failed = 0;
  std::string failure{};  ///< of the first that failed

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
  std::uint32_t by_speed = 1;    ///< the width beyond which throughput gains less than a twentieth
  std::uint32_t by_cores = 1;    ///< so many times needs.cores fit into the machine
  std::uint32_t at_width = 1;    ///< the measured width whose run times the waits below are made from
  Needs needs{};                 ///< what one run should be granted
  std::vector<std::string> why;  ///< the sums, a line each
  std::vector<LoadRow> loads{};
  std::vector<BurstRow> bursts{};  ///< of `at_once` jobs: with half, the advised and double the slots
};

struct SizeInputs {
  Resources capacity{};      ///< what the ledger may grant here
  double least_cores = 0.1;  ///< that a run may be granted: 1 in pools of kind duckdb
  std::uint32_t at_once = 100;
  std::vector<WidthMeasure> widths{};  ///< by width, at least one with a completed run
  double other_cores = 0;              ///< that something else kept busy meanwhile
  bool explored_all = true;  ///< false: measuring ended at the time given, wider ones were not tried
};
SizePlan plan_size(const SizeInputs& inputs);
/// The plan with other memory for each run, and with as many slots as that allows.
void set_memory(const SizeInputs& inputs, SizePlan& plan, std::uint64_t bytes);
/// Fills loads and bursts, for runs that took so long.
void estimate_waits(const SizeInputs& inputs, SizePlan& plan, const std::vector<double>& run_ms);

/// The widths to measure: 1, 2, 4 ... up to `most`, and `most` itself.
std::vector<std::uint32_t> widths_to_measure(std::uint32_t most);
/// The widest that is worth a try: every core busy once over, memory not exceeded, never more than `at_once`.
std::uint32_t widest(const Resources& capacity, const WidthMeasure& alone, std::uint32_t at_once);

}  // namespace gaur::app
