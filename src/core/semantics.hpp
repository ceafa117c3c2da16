#pragma once
// Where the dialects differ, as one value. Worker and model take it as a parameter; the embedded store has
// bullmq's.
#include <cstdint>

#include "base/env.hpp"
#include "gaur/job.hpp"

namespace gaur {

struct Semantics {
  enum class ZeroPriority : std::uint8_t { kBeforeAll, kAfterAll };
  enum class RetryPlace : std::uint8_t { kBehind, kFront };
  /// Where a job goes that is to be handed out next (LIFO, given back, stalled): before all others, or before
  /// those of its own kind (no priority, or the same priority).
  enum class Front : std::uint8_t { kOfItsKind, kOfAll };
  enum class StallLimit : std::uint8_t { kFailsWhenStartedAgain, kFailsInTheSweep };

  ZeroPriority zero_priority = ZeroPriority::kBeforeAll;
  std::uint32_t default_attempts = 0;
  std::uint32_t exponential_base_exponent = 0;  ///< bullmq: delay*2^(a-1) (0); bull: delay*(2^a-1) (1)
  RetryPlace retry_place = RetryPlace::kBehind;
  StallLimit stall_limit = StallLimit::kFailsInTheSweep;
  Front front =
      Front::kOfItsKind;  ///< kOfAll: of jobs without priority; the others stay within their priority
  bool backoff_is_a_delay = true;     ///< the wait before the next attempt is shown as the job's delay
  std::uint32_t max_starts = 10;      ///< nothing starts more often: then it is failed, code `stalled`
  bool bull_timeout_message = false;  ///< a run past its deadline fails in the words of Bull's own workers
  /// A retry by hand keeps the job's priority; else it goes behind all others (LIFO: in front of all).
  bool retry_by_hand_keeps_priority = true;
  /// Own ids and duplicates use up a number of the store's as well.
  bool every_add_is_numbered = false;
  /// Jobs that ended in one millisecond stand in the order of their ids; delayed ones of one millisecond in
  /// that of the low 12 bits of their number (of their id after a failed attempt). Else both in order of
  /// arrival.
  bool ties_by_id = false;
  /// Nothing is known of a run whose lock expired: not whose it was, and after a restart not that it was
  /// ours.
  bool expired_locks_are_forgotten = false;
  /// A retention of 0 removes the job that ends and no other, and an age includes its last millisecond.
  bool retention_of_none_spares_others = false;
  /// The place of a job in line is counted from its start in line; else from creation and delay.
  bool since_is_known = true;
  /// FinishResult::kept tells of this finish alone; else of all that ended with it in one step.
  bool kept_is_exact = true;
  /// An add that gives a timestamp of its own counts its delay from there.
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

/// The wait before the next attempt, `attempts_made` being those made so far including the one that just
/// failed. Never negative; capped at 10 years so that no arithmetic overflows.
Duration backoff_delay(const Backoff& backoff, std::uint32_t attempts_made, const Semantics& semantics,
                       Random& random);

}  // namespace gaur
