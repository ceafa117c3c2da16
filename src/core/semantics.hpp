#pragma once
// Differences between the dialects, as one value. Worker and model take it as a parameter; the embedded store
// follows bullmq.
#include <cstdint>

#include "base/env.hpp"
#include "gaur/job.hpp"

namespace gaur {

struct Semantics {
  enum class ZeroPriority : std::uint8_t { kBeforeAll, kAfterAll };
  enum class RetryPlace : std::uint8_t { kBehind, kFront };
  /// Where a job goes that starts next (LIFO, requeued, stalled): before all others, or before those of its
  /// own kind (no priority, or the same priority).
  enum class Front : std::uint8_t { kOfItsKind, kOfAll };
  enum class StallLimit : std::uint8_t { kFailsOnNextStart, kFailsInRecovery };

  ZeroPriority zero_priority = ZeroPriority::kBeforeAll;
  std::uint32_t default_attempts = 0;
  /// 0, bullmq: delay*2^(a-1); 1, bull: delay*(2^a-1).
  std::uint32_t exponential_base_exponent = 0;
  RetryPlace retry_place = RetryPlace::kBehind;
  StallLimit stall_limit = StallLimit::kFailsInRecovery;
  /// kOfAll applies to jobs without priority; the others stay within their priority.
  Front front = Front::kOfItsKind;
  /// The wait before the next attempt is stored as the job's delay.
  bool backoff_is_a_delay = true;
  /// A run that exceeds its timeout fails with the message of Bull's own workers.
  bool bull_timeout_message = false;
  /// A manual retry keeps the job's priority; else the job goes behind all others (LIFO: in front of all).
  bool retry_by_hand_keeps_priority = true;
  /// Adds with own ids and duplicates also increment the store's id counter.
  bool every_add_is_numbered = false;
  /// Ties within 1 ms are ordered by job id for finished jobs, and by the low 12 bits of the job number for
  /// delayed jobs (by id after a failed attempt). Else both are in order of arrival.
  bool ties_by_id = false;
  /// An expired lock leaves no record of its owner, also not for this worker's own jobs after a restart.
  bool expired_locks_are_forgotten = false;
  /// A retention of 0 removes only the job that ends, and an age includes its last millisecond.
  bool retention_of_none_spares_others = false;
  /// The store records when a job became ready; else that time is computed from creation and delay.
  bool since_is_known = true;
  /// FinishResult::kept is exact for each finish; else it applies to all finishes of one request.
  bool kept_is_exact = true;
  /// The delay of an add with its own timestamp counts from that timestamp.
  bool delay_counts_from_timestamp = false;

  static constexpr Semantics bullmq() { return {}; }
  static constexpr Semantics bull() {
    return {.zero_priority = ZeroPriority::kAfterAll,
            .default_attempts = 1,
            .exponential_base_exponent = 1,
            .front = Front::kOfAll,
            .backoff_is_a_delay = false,
            .bull_timeout_message = true,
            .retry_by_hand_keeps_priority = false,
            .every_add_is_numbered = true,
            .ties_by_id = true,
            .expired_locks_are_forgotten = true,
            .retention_of_none_spares_others = true,
            .since_is_known = false,
            .kept_is_exact = false,
            .delay_counts_from_timestamp = true};
  }
};

/// The wait before the next attempt; `attempts_made` includes the attempt that has just failed. Never
/// negative; capped at 10 years so that no arithmetic overflows.
Duration backoff_delay(const Backoff& backoff, std::uint32_t attempts_made, const Semantics& semantics,
                       Random& random);

}  // namespace gaur
