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
    /// Starts that open bookings allow.
    std::uint32_t booked = 0;
    /// "": available.
    std::string unavailable_reason;
    DecayingHistogram wall_us, millicores, memory;
  };

  /// A blocked head: the first job of a queue that did not fit.
  struct Head {
    std::uint64_t serial = 0;
    BlockedHead job;
    /// When it first did not fit.
    Instant since{};
    /// Consecutive take replies that did not reach it.
    unsigned unconfirmed = 0;
  };

  struct Queue {
    QueueRules rules;
    /// Resources granted so far / weight, as a share of the capacity. The least served queue goes first.
    double served = 0;
    /// Its last take reply left no job behind.
    bool idle = true;
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
  /// As configured; breaks ties.
  std::vector<QueueName> queue_order;
  std::map<FunctionName, Function> functions;
  std::map<std::uint64_t, OpenBooking> bookings;
  std::unordered_map<LockToken, Run> runs;
  Resources granted, booked, highest_granted;
  std::uint32_t threads = 0, highest_threads = 0, highest_running = 0;
  std::uint64_t overhead = 0;
  std::uint64_t last_booking = 0, last_head = 0;
  /// Initial `served` of a queue that was idle.
  double served_now = 0;
  Instant now{};

  explicit Impl(LedgerOptions given);

  /// What may be granted: without the overhead.
  Resources capacity() const;
  /// Capacity - granted - booked.
  Resources free() const;
  Needs needs_of(const Function& function) const;
  /// A slot's share for unlisted functions.
  Needs needs_of(const FunctionName& name) const;
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
