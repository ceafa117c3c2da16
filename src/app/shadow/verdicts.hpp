#pragma once
// What a shadow run found: each job's verdict, and the sums of each function. Thread-safety: pure functions.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/look/statistics.hpp"
#include "app/shadow/compare.hpp"

namespace gaur::app {

/// One kept job that was run again here.
struct ShadowRun {
  std::string id, function;
  std::string problem;  ///< "": it completed; else how it ended, or why it could not be compared
  Comparison comparison{};
  std::optional<double> then_ms{};  ///< its run at the time, by Bull's own stamps
  double now_ms = 0, cpu_ms = 0;
  std::uint64_t peak_bytes = 0;  ///< 0: not measured
  std::uint32_t threads = 0;     ///< granted here
};

struct ShadowFunction {
  std::string function;
  std::uint64_t runs = 0, equal = 0, allowed = 0, different = 0, failed = 0;
  std::map<DifferenceKind, std::uint64_t> jobs_with{};  ///< how many jobs show this kind
  Spread then_ms{}, now_ms{}, cpu_ms{}, cores{}, peak_bytes{};
};

struct ShadowReport {
  std::vector<ShadowRun> runs{};
  std::map<std::string, std::uint64_t>
      skipped{};  ///< functions that no pool here serves, and how many jobs of each
  std::set<DifferenceKind> allowed{};

  std::vector<ShadowFunction> functions() const;
  /// Every job ran, and its result is equal or differs in allowed kinds only; at least one ran.
  bool acceptable() const;
};
std::string shadow_text(const ShadowReport& report);
std::string shadow_json(const ShadowReport& report);

}  // namespace gaur::app
