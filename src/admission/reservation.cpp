#include "admission/reservation.hpp"

#include <algorithm>

namespace gaur {

namespace {

void add_back(Resources& room, const Needs& needs) {
  room.cores += needs.cores;
  room.memory_bytes += needs.memory_bytes;
}

Resources left_over(const Resources& room, const Needs& needs) {
  return {std::max(room.cores - needs.cores, 0.0),
          room.memory_bytes > needs.memory_bytes ? room.memory_bytes - needs.memory_bytes : 0};
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
    if (occupant.behind) continue;
    add_back(all, occupant.needs);
    if (const auto at = expected_end(occupant, now)) ends.push_back({*at, &occupant.needs});
  }
  std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.at < b.at; });

  Reservation result;
  Resources room = free;
  if (fits(head, room)) result.start = now;
  for (std::size_t i = 0; i < ends.size() && !result.start; ++i) {
    add_back(room, *ends[i].needs);
    if (fits(head, room)) result.start = ends[i].at;
  }
  // Runs of unknown length may have to end first: then the head has what all of them leave, at a time that
  // nobody knows.
  if (!result.start) room = all;
  const Resources after = left_over(room, head);
  result.spare = {std::min(after.cores, free.cores), std::min(after.memory_bytes, free.memory_bytes)};
  return result;
}

}  // namespace gaur
