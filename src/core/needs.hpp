#pragma once
// Resources, needs, and the filter that defines which jobs a take request may take: the vocabulary that
// admission and the stores share.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gaur/job.hpp"

namespace gaur {

/// Cores and memory of this machine. Memory is never overcommitted; admission multiplies `cores` by its own
/// factor.
struct Resources {
  double cores = 0;
  std::uint64_t memory_bytes = 0;
  bool operator==(const Resources&) const = default;
};

/// What one run of a function needs.
struct Needs {
  double cores = 1;
  std::uint64_t memory_bytes = 0;
  /// No job of this function may start now: max_running is reached, or its pool is unavailable.
  bool unavailable = false;
  /// By its history a run ends before the blocked head could start.
  bool ends_before_head = false;
  /// Largest result that is kept: the embedded store reserves space for it before the job starts.
  std::uint64_t result_bytes = Limits{}.result_bytes;
  bool operator==(const Needs&) const = default;
};

/// Whether `needs` fit into `free`, with a tolerance of one millicore for rounding.
inline bool fits(const Needs& needs, const Resources& free) {
  return needs.cores <= free.cores + 1e-3 && needs.memory_bytes <= free.memory_bytes;
}
inline void subtract(Resources& free, const Needs& needs) {
  free.cores -= needs.cores;
  free.memory_bytes -= needs.memory_bytes;
}

/// Which jobs a take request may take. The store scans the jobs in the order in which they would start and
/// takes each job whose needs fit into the rest of `free`. It never moves a job that it does not take. The
/// first job that does not fit is the blocked head: the reply reports it as BlockedHead, and the scan ends
/// there unless `backfill` is set. With `backfill` a later job is taken only if its function ends before the
/// head could start, or if it fits into the rest of both `free` and `spare`; it is then subtracted from both.
/// Jobs of functions that are unavailable or not served are skipped and never become the head. However many
/// skipped jobs precede a job that may be taken, this request finds it, or a later one if the store bounds
/// the work of one step (QueueHint::more).
struct AdmissionFilter {
  Resources free{};
  std::map<FunctionName, Needs> needs{};
  /// For functions that `needs` does not list. Nothing: they are not served here and are skipped.
  std::optional<Needs> default_needs{};
  bool backfill = false;
  /// The part of `free` that the head does not need when it starts.
  Resources spare{};
  /// "": the job's name is its function; else a dotted path into its data ("func").
  std::string function_field{};
};

/// The function of a job: its name, or with a `field` the text at that dotted path of its data. Falls back to
/// the name if the data contain no text there or are not JSON.
FunctionName function_of(std::string_view name, std::string_view data, std::string_view field);

/// The first job in starting order that did not fit.
struct BlockedHead {
  JobId id{};
  FunctionName function{};
  Needs needs{};
  /// When it was added, or its delay ended.
  Time waiting_since{};
  bool operator==(const BlockedHead&) const = default;
};

}  // namespace gaur
