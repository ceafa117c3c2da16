#pragma once
// One queue as its worker sees it: the turns under way, the finishes that wait for the next one, and what is
// known about the queue. Thread-safety: confined to the worker's loop.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/admission.hpp"
#include "core/store.hpp"

namespace gaur::worker {

/// A turn that has no answer yet. It is kept whole, to be sent again under the same operation.
struct Sent {
  TakeRequest turn;
  std::uint64_t ticket = 0;  ///< of the admission; 0: no room was asked for
  unsigned tries = 1;
  std::optional<Instant> again_at{};  ///< set while its outcome is unknown
};

/// What held the head back when it was last looked at.
struct DeniedHead {
  BlockedHead head;
  Resources free;  ///< what was left of the offer
  bool could_pass = false;
};

/// A lane of the store's, which answers again for its last operation only: one turn is in flight on it.
struct StoreSession {
  SessionName name;
  bool answered = false;  ///< the store has answered an operation of this lane
  std::optional<Sent> sent{};
};

struct QueueState {
  QueueName queue;
  /// Two where the store is over a network, so that it works on one turn while the other is taken in here.
  std::vector<StoreSession> sessions;
  std::uint64_t number = 0;  ///< of the last operation, over all tracks

  std::vector<Finish> gathered;  ///< runs that ended: they go with the next turn
  std::optional<Sent>
      parked;  ///< on the first track: a turn that lies in the store until there is something to take
  bool unpark = false;      ///< end the parked turn, its room is wanted elsewhere
  bool one_by_one = false;  ///< a batch was refused as a whole: find the finish that is the cause

  std::string refused;  ///< why no job is taken and nothing is swept until it is accepted again; "": it is
  std::string trouble;  ///< the last request failed for a reason of the queue's own; "": it did not

  bool may_have_work = true;  ///< may have something to take
  bool paused = false;
  bool closed_seen = false;  ///< functions were closed when it was last asked: their jobs may lie there
  bool look_again = false;   ///< ask for the blocked head even if no room was freed
  std::optional<DeniedHead> blocked_head;
  Instant asked{};               ///< when it was last asked for jobs
  Instant hold_until{};          ///< the store refused finishes for a reason that may pass
  Instant not_before{};          ///< rate limit
  std::optional<Instant> due{};  ///< the next delayed job
  bool extending = false, recovering = false, waking = false;
  bool reclaiming = false;  ///< what an earlier life held is not known yet: nothing is taken
  Instant reclaim_again{};  ///< the last try failed: the next one
  std::set<JobId> told{};   ///< left alone by the sweep and noted, so that it is noted once

  bool sent() const {
    return std::any_of(sessions.begin(), sessions.end(),
                       [](const StoreSession& session) { return session.sent.has_value(); });
  }
  bool busy() const { return sent() || parked || !gathered.empty(); }
};

/// Whether an offer holds something that was not there when the head was denied.
inline bool improves(const Booking& offer, const DeniedHead& blocked_head) {
  return offer.filter.free.cores > blocked_head.free.cores + 1e-6 ||
         offer.filter.free.memory_bytes > blocked_head.free.memory_bytes ||
         (offer.filter.backfill && !blocked_head.could_pass);
}

}  // namespace gaur::worker
