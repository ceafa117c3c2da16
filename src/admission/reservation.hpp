#pragma once
// EASY backfill: when the blocked head can start, by the usual durations of the current runs, and which
// resources it will not need then. Thread-safety: pure functions.
#include <optional>
#include <vector>

#include "core/needs.hpp"

namespace gaur {

/// A run that holds resources.
struct Occupant {
  Needs needs;
  Instant since{};
  /// 90th percentile of its function; nothing: not known.
  std::optional<Duration> usual;
  /// It was backfilled past this head on resources that the head does not need: its end is not counted on.
  bool backfilled = false;
};

struct Reservation {
  /// When the head fits, by the known durations; nothing: only when runs of unknown duration end.
  std::optional<Instant> start;
  /// The part of the free resources that the head does not need when it starts.
  Resources spare;
};

/// The expected end of a run. A run that exceeds its usual duration is expected to last as long again as the
/// excess.
std::optional<Instant> expected_end(const Occupant& occupant, Instant now);

/// `free`: what no run holds now.
Reservation reserve(const Needs& head, const Resources& free, const std::vector<Occupant>& occupants,
                    Instant now);

}  // namespace gaur
