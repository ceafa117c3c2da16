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
  bool backoff_is_a_delay = true;  ///< the wait before the next attempt is shown as the job's delay
  std::uint32_t max_starts = 10;   ///< nothing starts more often: then it is failed, code `stalled`
  bool promise_words = false;      ///< a run past its deadline fails in the words of Bull's own workers

  static constexpr Semantics bullmq() { return {}; }
  static constexpr Semantics bull() {
    return {.zero_priority = ZeroPriority::kAfterAll,
            .default_attempts = 1,
            .exponential_base_exponent = 1,
            .front = Front::kOfAll,
            .backoff_is_a_delay = false,
            .promise_words = true};
  }
};

/// The wait before the next attempt, `attempts_made` being those made so far including the one that just
/// failed. Never negative; capped at 10 years so that no arithmetic overflows.
Duration backoff_delay(const Backoff& backoff, std::uint32_t attempts_made, const Semantics& semantics,
                       Random& random);

}  // namespace gaur
