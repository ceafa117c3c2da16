#pragma once
// The worker's state of one queue: take requests in flight, finishes that wait for the next request, and what
// is known about the queue's jobs. Thread-safety: confined to the worker's loop.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/admission.hpp"
#include "core/store.hpp"

namespace gaur::worker {

/// A take request without a reply. Kept as a whole, to be sent again under the same operation id.
struct PendingTake {
  TakeRequest request;
  /// 0: requests no jobs.
  std::uint64_t booking = 0;
  unsigned tries = 1;
  /// Set while its outcome is unknown.
  std::optional<Instant> retry_at{};
};

/// The blocked head as of the last reply.
struct KnownHead {
  BlockedHead head;
  /// The rest of the booking.
  Resources free;
  bool backfilled = false;
};

/// A session of the store. The store repeats the reply to its last operation only, so one request is in
/// flight.
struct StoreSession {
  SessionName name;
  /// The store has replied to an operation of this session.
  bool answered = false;
  std::optional<PendingTake> pending{};
};

struct QueueState {
  QueueName queue;
  /// Two for a store over a network: it processes one request while the worker handles the reply to the
  /// other.
  std::vector<StoreSession> sessions;
  /// Of the last operation in any session.
  std::uint64_t sequence = 0;

  /// Of ended runs: sent with the next request.
  std::vector<Finish> finishes;
  /// A take request of the first session that stays in the store until there is a job to take.
  std::optional<PendingTake> long_poll;
  /// Other queues need the resources that it has booked.
  bool end_long_poll = false;
  /// A batch was rejected as a whole: finishes are sent one by one to find the cause.
  bool one_by_one = false;

  /// Why nothing is taken or recovered until Worker::accept(); "": the queue is accepted.
  std::string refused;
  /// Why the last request failed, if the cause is the queue itself; "": it did not.
  std::string trouble;

  bool may_have_work = true;
  bool paused = false;
  /// The last request excluded unavailable functions, of which jobs may wait.
  bool unavailable_seen = false;
  /// Requests the blocked head again even if no resources were freed.
  bool recheck_head = false;
  std::optional<KnownHead> blocked_head;
  /// The last request for jobs.
  Instant requested_at{};
  /// The store rejected finishes for a reason that may pass.
  Instant hold_until{};
  /// The store has no space for the results of more jobs.
  bool store_full = false;
  /// Rate limit, or the next request to a full store.
  Instant not_before{};
  /// The next delayed job.
  std::optional<Instant> due{};
  bool extending = false, recovering = false, waking = false;
  /// The jobs of this worker's previous process are not requeued yet: nothing is taken.
  bool reclaiming = false;
  /// The next try.
  Instant reclaim_at{};
  /// Unlocked jobs that were logged, so that each is logged once.
  std::set<JobId> reported_unlocked{};

  bool has_pending() const {
    return std::any_of(sessions.begin(), sessions.end(),
                       [](const StoreSession& session) { return session.pending.has_value(); });
  }
  bool busy() const { return has_pending() || long_poll || !finishes.empty(); }
};

/// Whether the queue itself cannot be used: its keys are damaged, or the user has no permission for them.
inline bool is_unusable(Errc code) {
  return code == Errc::kCorrupt || code == Errc::kPermission;
}

/// Whether the store rejects this very request, so that sending it again is useless.
bool is_rejection(Errc code);

/// Whether the booking has resources that were not free when the head was blocked.
inline bool improves(const Booking& booking, const KnownHead& blocked) {
  return booking.filter.free.cores > blocked.free.cores + 1e-6 ||
         booking.filter.free.memory_bytes > blocked.free.memory_bytes ||
         (booking.filter.backfill && !blocked.backfilled);
}

}  // namespace gaur::worker
