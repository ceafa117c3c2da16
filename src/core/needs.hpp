#pragma once
// Room, needs, and how a store is told what may be taken: the common language of admission and stores.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gaur/job.hpp"

namespace gaur {

/// Room on this machine. Memory is hard; admission adds what softness it allows to `cores` itself.
struct Resources {
  double cores = 0;
  std::uint64_t memory_bytes = 0;
  bool operator==(const Resources&) const = default;
};

/// What one run of a function needs.
struct Needs {
  double cores = 1;
  std::uint64_t memory_bytes = 0;
  bool unavailable = false;       ///< take none of this function now (its own max_running, a broken pool)
  bool ends_before_head = false;  ///< by its history it ends before the blocked head could start
  bool operator==(const Needs&) const = default;
};

/// Room for one needs more, with a millicore of tolerance against rounding.
inline bool fits(const Needs& needs, const Resources& room) {
  return needs.cores <= room.cores + 1e-3 && needs.memory_bytes <= room.memory_bytes;
}
inline void subtract(Resources& room, const Needs& needs) {
  room.cores -= needs.cores;
  room.memory_bytes -= needs.memory_bytes;
}

/// Which jobs a turn may take. The store walks the jobs in the order in which it would hand them out,
/// takes each whose needs fit what is left of `free`, and never moves one that it does not take. The
/// first that does not fit is the *head*: it is reported as `Blocked`, and the walk ends there unless
/// `backfill`; then a later job is taken only if its function ends before the head could start, or if
/// it fits both what is left of `free` and of `spare` (it is subtracted from both).
/// A closed or unserved function is skipped and never becomes the head. However many skipped jobs precede
/// it, a job that may be taken is found: in this turn, or, where the store bounds the work of one step, in
/// a later one (QueueHint::more).
struct AdmissionFilter {
  Resources free{};
  std::map<FunctionName, Needs> needs{};
  std::optional<Needs>
      default_needs{};    ///< for functions not in `needs`; nothing: they are not served here and are skipped
  bool backfill = false;  ///< backfill
  Resources spare{};      ///< room that the head will not need
  std::string
      function_field{};  ///< "": a job's function is its name; else a dotted path into its data ("func")
};

/// What a job asks for: its name, or, with a `field`, the text at that dotted path of its data. Data without
/// such a text leave the name. Never fails: data that is no JSON has no fields.
FunctionName function_of(std::string_view name, std::string_view data, std::string_view field);

struct BlockedHead {
  JobId id{};
  FunctionName function{};
  Needs needs{};
  Time waiting_since{};  ///< when it became ready to run (added, or woken from delayed)
  bool operator==(const BlockedHead&) const = default;
};

}  // namespace gaur
