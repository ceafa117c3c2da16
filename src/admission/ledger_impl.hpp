#pragma once
// What the ledger remembers. Shared by ledger.cpp (the decisions) and ledger_words.cpp (what it tells).
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
    std::uint32_t promised = 0;   ///< may be taken by turns on their way
    std::string unavailable_why;  ///< "": open
    DecayingHistogram wall_us, millicores, memory;
  };

  /// The job at the head of a queue that waits for room.
  struct Head {
    std::uint64_t serial = 0;
    BlockedHead job;
    Instant since{};           ///< first found not to fit
    unsigned unconfirmed = 0;  ///< turns in a row that did not get as far as to it
  };

  struct Queue {
    QueueRules rules;
    double served = 0;  ///< room granted so far / weight, in boxes: the least served goes first
    bool idle = true;   ///< its last turn left nothing behind
    std::optional<Head> head;
  };

  struct Ticket {
    QueueName queue;
    AdmissionFilter filter;
    std::uint32_t take = 0;
    std::uint64_t passes = 0;  ///< the head whose spare room it may use, 0: none
  };

  struct Run {
    FunctionName function;
    Needs needs;
    Instant since{};
    std::uint32_t threads = 1;
    std::uint64_t behind = 0;  ///< the head that it passed on spare room, 0: none
  };

  LedgerOptions options;
  std::map<QueueName, Queue> queues;
  std::vector<QueueName> queue_order;  ///< as configured: settles ties
  std::map<FunctionName, Function> functions;
  std::map<std::uint64_t, Ticket> tickets;
  std::unordered_map<LockToken, Run> runs;
  Resources granted, booked, highest_granted;
  std::uint32_t threads = 0, highest_threads = 0, highest_running = 0;
  std::uint64_t overhead = 0;
  std::uint64_t last_ticket = 0, last_head = 0;
  double served_now = 0;  ///< what a queue that was idle starts from
  Instant now{};

  explicit Impl(LedgerOptions given);

  Resources capacity() const;  ///< what may be granted now: less the overhead
  Resources free() const;      ///< box - granted - booked
  Needs needs_of(const Function& function) const;
  Needs needs_of(const FunctionName& name) const;  ///< a slot's share if it is not listed
  Needs clamped(const Needs& needs) const;
  bool serves(const Function& function, const QueueName& queue) const;
  std::optional<Duration> usual_wall(const FunctionName& name) const;
  bool at_most_running(const Function& function) const {
    return function.configured.max_running > 0 &&
           function.running + function.promised >= function.configured.max_running;
  }

  Reservation reservation_of(const Head& head) const;
  bool overdue(const Queue& queue) const;  ///< over half of max_head_wait: no other queue is served before it
  bool closing(const Queue& queue) const;  ///< over three quarters: nothing passes
  std::vector<const Queue*> ranked() const;
  const Queue* blocked_before(const QueueName& queue) const;

  AdmissionFilter admit_for(const Queue& queue, Ticket& ticket) const;
  Resources room_for(std::uint32_t count, const AdmissionFilter& filter) const;
  std::uint32_t most_to_take(const Queue& queue, const AdmissionFilter& filter) const;
  void charge(Queue& queue, const Ticket& ticket, const Taken& taken);
  void remember_head(Queue& queue, const Ticket& ticket, const std::vector<Taken>& taken,
                     const std::optional<BlockedHead>& blocked);
};

}  // namespace gaur
