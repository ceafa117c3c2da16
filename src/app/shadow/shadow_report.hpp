#pragma once
// The report of a shadow run: the comparison of each job, and sums by function. Thread-safety: pure
// functions.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/look/statistics.hpp"
#include "app/shadow/compare.hpp"

namespace gaur::app {

/// A kept job that was run again here.
struct ShadowRun {
  std::string id, function;
  /// Why it failed or could not be compared; "": it was compared.
  std::string problem;
  Comparison comparison{};
  /// The original run, by Bull's timestamps.
  std::optional<double> then_ms{};
  double now_ms = 0, cpu_ms = 0;
  /// 0: not measured.
  std::uint64_t peak_bytes = 0;
  /// Granted here.
  std::uint32_t threads = 0;
};

struct ShadowFunction {
  std::string function;
  std::uint64_t runs = 0, equal = 0, allowed = 0, different = 0, failed = 0;
  /// Number of jobs with this kind of difference.
  std::map<DifferenceKind, std::uint64_t> jobs_with{};
  Spread then_ms{}, now_ms{}, cpu_ms{}, cores{}, peak_bytes{};
};

struct ShadowReport {
  std::vector<ShadowRun> runs{};
  /// Functions that are not configured here, and the number of their jobs.
  std::map<std::string, std::uint64_t> skipped{};
  std::set<DifferenceKind> allowed{};

  std::vector<ShadowFunction> functions() const;
  /// Whether at least one job ran, and every result is equal or differs in allowed kinds only.
  bool acceptable() const;
};
std::string shadow_text(const ShadowReport& report);
std::string shadow_json(const ShadowReport& report);

}  // namespace gaur::app
