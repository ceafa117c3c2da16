#include "admission/reservation.hpp"

#include <algorithm>

namespace gaur {

namespace {

void add(Resources& free, const Needs& needs) {
  free.cores += needs.cores;
  free.memory_bytes += needs.memory_bytes;
}

Resources minus(const Resources& free, const Needs& needs) {
  return {std::max(free.cores - needs.cores, 0.0),
          free.memory_bytes > needs.memory_bytes ? free.memory_bytes - needs.memory_bytes : 0};
}

}  // namespace

std::optional<Instant> expected_end(const Occupant& occupant, Instant now) {
  if (!occupant.usual) return std::nullopt;
  const Instant end = occupant.since + *occupant.usual;
  return end >= now ? end : now + (now - end);
}

Reservation reserve(const Needs& head, const Resources& free, const std::vector<Occupant>& occupants,
                    Instant now) {
  struct End {
    Instant at;
    const Needs* needs;
  };
  std::vector<End> ends;
  Resources all = free;
  for (const Occupant& occupant : occupants) {
    if (occupant.backfilled) continue;
    add(all, occupant.needs);
    if (const auto at = expected_end(occupant, now)) ends.push_back({*at, &occupant.needs});
  }
  std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.at < b.at; });

  Reservation result;
  Resources available = free;
  if (fits(head, available)) result.start = now;
  for (std::size_t i = 0; i < ends.size() && !result.start; ++i) {
    add(available, *ends[i].needs);
    if (fits(head, available)) result.start = ends[i].at;
  }
  // Runs of unknown duration must end first: the head then has the resources of all of them.
  if (!result.start) available = all;
  const Resources after = minus(available, head);
  result.spare = {std::min(after.cores, free.cores), std::min(after.memory_bytes, free.memory_bytes)};
  return result;
}

}  // namespace gaur
