#pragma once
// Admission: the interface between a worker and the ledger of cores and memory. Resources are booked before a
// take request is sent, and its reply settles the booking. A queue may have several open bookings; their sum
// never exceeds what is free. Thread-safety: confined to the worker's loop.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/needs.hpp"
#include "core/outcome.hpp"
#include "core/run.hpp"
#include "core/wait_reason.hpp"

namespace gaur {

/// Resources that are booked for one take request.
struct Booking {
  std::uint64_t id = 0;
  /// Most jobs to take; 0: nothing can start now, and nothing is booked.
  std::uint32_t take = 0;
  AdmissionFilter filter{};
};

class Admission {
 public:
  virtual ~Admission() = default;
  /// Books free resources for a take request of `queue`.
  virtual Booking book(const QueueName& queue, Instant now) = 0;
  /// Settles a booking: charges the jobs that were taken, frees the rest, records the blocked head.
  virtual void settle(std::uint64_t booking, const std::vector<Taken>& taken,
                      const std::optional<BlockedHead>& blocked, Instant now) = 0;
  /// The grant of a taken job. Valid from settle() to release().
  virtual Grant grant(const LockToken& run) = 0;
  /// Frees the resources of a run that ended. A run without a wall time (never started, or ended from
  /// outside) does not enter the statistics.
  virtual void release(const LockToken& run, const Usage& usage, Instant now) = 0;
  /// The order in which to request jobs from the queues: the oldest blocked head first, then weighted round
  /// robin.
  virtual std::vector<QueueName> order() = 0;
  /// Sets the fields of `facts` that admission knows. Queue and function of the job are set by the caller.
  virtual void explain(WaitFacts& facts, Instant now) const = 0;
};

}  // namespace gaur
