#pragma once
// EASY backfill: when will the blocked head be able to start, by the usual lengths of what runs, and which
// room will it not need even then. Thread-safety: pure functions.
#include <optional>
#include <vector>

#include "core/needs.hpp"

namespace gaur {

/// A run that holds room.
struct Occupant {
  Needs needs;
  Instant since{};
  std::optional<Duration> usual;  ///< how long nine in ten of its kind take; nothing: not known yet
  bool behind = false;  ///< it passed this head on room that the head will not need: do not count on its end
};

struct Reservation {
  std::optional<Instant>
      start;        ///< when the head fits, by what is known; nothing: only when runs of unknown length end
  Resources spare;  ///< of what is free now, the part that the head will not need when it starts
};

/// When a run is likely to end. One that is over its usual length is given as long again as it is over it.
std::optional<Instant> expected_end(const Occupant& occupant, Instant now);

/// `free` is what no run holds now.
Reservation reserve(const Needs& head, const Resources& free, const std::vector<Occupant>& occupants,
                    Instant now);

}  // namespace gaur
