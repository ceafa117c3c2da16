#pragma once
// State of the ledger, shared by ledger.cpp (decisions) and ledger_explain.cpp (reports).
// Thread-safety: confined to the worker's loop.
#include <unordered_map>

#include "admission/decaying_histogram.hpp"
#include "admission/ledger.hpp"
#include "admission/reservation.hpp"

namespace gaur {

struct Ledger::Impl {
  struct Function {
    FunctionNeeds configured;
    std::uint32_t running = 0;
    std::uint32_t booked = 0;        ///< starts that open bookings allow
    std::string unavailable_reason;  ///< "": available
    DecayingHistogram wall_us, millicores, memory;
  };

  /// A blocked head: the first job of a queue that did not fit.
  struct Head {
    std::uint64_t serial = 0;
    BlockedHead job;
    Instant since{};           ///< when it first did not fit
    unsigned unconfirmed = 0;  ///< consecutive take replies that did not reach it
  };

  struct Queue {
    QueueRules rules;
    /// Resources granted so far / weight, as a share of the capacity. The least served queue goes first.
    double served = 0;
    bool idle = true;  ///< its last take reply left no job behind
    std::optional<Head> head;
  };

  struct OpenBooking {
    QueueName queue;
    AdmissionFilter filter;
    std::uint32_t take = 0;
    /// The blocked head whose spare resources it may use; 0: none.
    std::uint64_t backfills_past = 0;
  };

  struct Run {
    FunctionName function;
    Needs needs;
    Instant since{};
    std::uint32_t threads = 1;
    /// The blocked head that it was backfilled past; 0: none.
    std::uint64_t backfilled_past = 0;
  };

  LedgerOptions options;
  std::map<QueueName, Queue> queues;
  std::vector<QueueName> queue_order;  ///< as configured; breaks ties
  std::map<FunctionName, Function> functions;
  std::map<std::uint64_t, OpenBooking> bookings;
  std::unordered_map<LockToken, Run> runs;
  Resources granted, booked, highest_granted;
  std::uint32_t threads = 0, highest_threads = 0, highest_running = 0;
  std::uint64_t overhead = 0;
  std::uint64_t last_booking = 0, last_head = 0;
  double served_now = 0;  ///< initial `served` of a queue that was idle
  Instant now{};

  explicit Impl(LedgerOptions given);

  Resources capacity() const;  ///< what may be granted: without the overhead
  Resources free() const;      ///< capacity - granted - booked
  Needs needs_of(const Function& function) const;
  Needs needs_of(const FunctionName& name) const;  ///< a slot's share for unlisted functions
  Needs clamped(const Needs& needs) const;
  bool serves(const Function& function, const QueueName& queue) const;
  std::optional<Duration> usual_wall(const FunctionName& name) const;
  bool is_at_max_running(const Function& function) const {
    return function.configured.max_running > 0 &&
           function.running + function.booked >= function.configured.max_running;
  }

  Reservation reservation_of(const Head& head) const;
  /// Half of max_head_wait has passed: no other queue is served before it.
  bool overdue(const Queue& queue) const;
  /// Three quarters of max_head_wait have passed: no job is backfilled past its head.
  bool rejects_backfill(const Queue& queue) const;
  std::vector<const Queue*> ranked() const;
  const Queue* blocked_before(const QueueName& queue) const;

  AdmissionFilter filter_for(const Queue& queue, OpenBooking& booking) const;
  Resources largest_needs(std::uint32_t count, const AdmissionFilter& filter) const;
  std::uint32_t most_to_take(const Queue& queue, const AdmissionFilter& filter) const;
  void charge(Queue& queue, const OpenBooking& booking, const Taken& taken);
  void record_head(Queue& queue, const OpenBooking& booking, const std::vector<Taken>& taken,
                   const std::optional<BlockedHead>& blocked);
};

}  // namespace gaur
