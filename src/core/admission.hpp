#pragma once
// The seam between a worker and the ledger of cores and memory. A grant is booked before a turn is sent and
// settled by its reply; several may be open for a queue; what is booked never exceeds what is free.
// Thread-safety: confined to the worker's loop.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/needs.hpp"
#include "core/outcome.hpp"
#include "core/run.hpp"
#include "core/wait_reason.hpp"

namespace gaur {

/// Room offered to one queue for one turn.
struct Booking {
  std::uint64_t ticket = 0;
  std::uint32_t take = 0;  ///< 0: nothing can start now
  AdmissionFilter filter{};
};

class Admission {
 public:
  virtual ~Admission() = default;
  /// Books the free room for a turn of `queue`.
  virtual Booking offer(const QueueName& queue, Instant now) = 0;
  /// The turn's answer: what was taken is charged, the rest is free again, the head is remembered.
  virtual void settle(std::uint64_t ticket, const std::vector<Taken>& taken,
                      const std::optional<BlockedHead>& blocked, Instant now) = 0;
  /// The grant of a taken job. Valid from settle() until release().
  virtual Grant grant(const LockToken& run) = 0;
  /// The run is over. Nothing is learned from one that measured no wall time (it never ran, or was ended from
  /// outside).
  virtual void release(const LockToken& run, const Usage& usage, Instant now) = 0;
  /// The order in which queues are to be asked: oldest blocked head first, else weighted round robin.
  virtual std::vector<QueueName> order() = 0;
  /// Fills in what admission knows of a waiting job, whose queue and function are given.
  virtual void explain(WaitFacts& facts, Instant now) const = 0;
};

}  // namespace gaur
