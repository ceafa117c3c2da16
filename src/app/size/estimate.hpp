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
  /// Granted to each.
  std::uint32_t threads = 1;
  /// Of the whole measurement.
  double seconds = 0;
  /// Of the runs that completed.
  std::vector<double> run_ms{};
  /// CPU time / run time of each run.
  std::vector<double> cores{};
  /// Peak resident memory of each run; empty: not measured.
  std::vector<double> peak_bytes{};
  std::uint32_t failed = 0;
  /// Of the first failed run.
  std::string failure{};

  double per_second() const { return seconds <= 0 ? 0 : static_cast<double>(run_ms.size()) / seconds; }
};

struct LoadRow {
  /// Of the capacity.
  double share = 0;
  double per_minute = 0;
  Spread wait_ms{};
};
struct BurstRow {
  std::uint32_t slots = 0;
  Burst burst{};
};

struct SizePlan {
  std::uint32_t slots = 1;
  /// 0: memory was not measured.
  std::uint32_t by_memory = 0;
  /// The width beyond which throughput gains less than 5 %.
  std::uint32_t by_speed = 1;
  /// Capacity.cores / needs.cores.
  std::uint32_t by_cores = 1;
  /// The measured width whose run times the waits below are based on.
  std::uint32_t at_width = 1;
  /// Recommended for one run.
  Needs needs{};
  /// The computation, a line each.
  std::vector<std::string> why;
  std::vector<LoadRow> loads{};
  /// Of `at_once` jobs: with half, the recommended and double the slots.
  std::vector<BurstRow> bursts{};
};

struct SizeInputs {
  /// What the ledger can grant on this machine.
  Resources capacity{};
  /// Minimum grant of a run: 1 in pools of kind duckdb.
  double least_cores = 0.1;
  std::uint32_t at_once = 100;
  /// By width, at least one with a completed run.
  std::vector<WidthMeasure> widths{};
  /// Cores used by other processes meanwhile.
  double other_cores = 0;
  /// false: the budget expired before all widths were measured.
  bool explored_all = true;
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
