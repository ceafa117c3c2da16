#pragma once
// Random histories: a sequence of operations, generated from a seed, runs on a reference store and on the
// store under test. All replies and events, and regularly all jobs, must be equal on both, and the invariants
// of checker.hpp must hold. The operations include crashes and repeats. Thread-safety: confined to the test's
// thread.
#include <cstdint>
#include <optional>
#include <string>

#include "conformance/store_fixture.hpp"

namespace gaur::conformance {

struct HistoryPlan {
  std::uint64_t seed = 1;
  std::uint32_t operations = 200;
  /// Operations.
  std::uint32_t snapshot_every = 10;
};

/// The first problem with the operations before it; nothing if there was none.
std::optional<std::string> run_history(const Subject& reference, const Subject& subject,
                                       const HistoryPlan& plan);

struct HistoriesPlan {
  std::uint64_t first_seed = 1;
  std::uint32_t histories = 500;
  HistoryPlan each{};
};

struct HistoriesResult {
  std::uint32_t played = 0;
  std::optional<std::uint64_t> failing_seed;
  std::string report;
};

/// Stops at the first history that fails.
HistoriesResult run_histories(const Subject& reference, const Subject& subject, const HistoriesPlan& plan);

}  // namespace gaur::conformance
