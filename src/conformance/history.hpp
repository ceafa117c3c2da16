#pragma once
// Random histories: one sequence of operations, drawn from a seed, played on a reference and on the store
// under test. Every reply, every event and, every few operations, every job must be the same on both, and the
// store's own invariants must hold. Crashes and repeated operations are among the operations.
// Thread-safety: the test's thread.
#include <cstdint>
#include <optional>
#include <string>

#include "conformance/store_fixture.hpp"

namespace gaur::conformance {

struct HistoryPlan {
  std::uint64_t seed = 1;
  std::uint32_t operations = 200;
  std::uint32_t look_every = 10;  ///< operations between two snapshots
};

/// What went wrong first, with the operations that led to it; nothing if all went well.
std::optional<std::string> play_history(const Subject& reference, const Subject& subject,
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

/// Plays until the first that fails.
HistoriesResult play_histories(const Subject& reference, const Subject& subject, const HistoriesPlan& plan);

}  // namespace gaur::conformance
