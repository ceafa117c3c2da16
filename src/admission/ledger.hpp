#pragma once
// The ledger of cores and memory of one machine, for all of its queues. Resources are booked before a take
// request is sent, and its reply settles the booking; the sum of granted and booked resources never exceeds
// the capacity. docs/explanation/admission.md explains the rules.
//
// Pure: it has no clock, thread or random numbers. Thread-safety: confined to the worker's loop.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/admission.hpp"

namespace gaur {

/// What one run of a function needs, as configured.
struct FunctionNeeds {
  /// Default: a slot's share. Clamped to the capacity, so that every job fits an idle machine.
  std::optional<double> cores;
  /// As `cores`.
  std::optional<std::uint64_t> memory_bytes{};
  /// Concurrent runs of this function on this host; 0: as many as fit.
  std::uint32_t max_running = 0;
  /// Where it is served; empty: in every queue.
  std::vector<QueueName> queues{};
  /// Largest result that is kept.
  std::uint64_t result_bytes = Needs{}.result_bytes;
};

enum class QueueOrder : std::uint8_t {
  /// First in, first out: a job that does not fit blocks all behind it.
  kFifo,
  /// Later jobs may start before it if they do not delay it, until `max_head_wait` is near.
  kBackfill,
};

struct QueueRules {
  QueueName name{};
  QueueOrder order = QueueOrder::kBackfill;
  /// The blocked head starts within this time, whatever is added behind it or in other queues, unless runs
  /// that started before it take longer. After half of it no other queue is served before it; after three
  /// quarters no job is backfilled past it.
  Duration max_head_wait{30'000};
  /// Share of the resources when several queues have jobs; 0 counts as 1.
  std::uint32_t weight = 1;
  /// "": the job's name is its function; else a dotted path into its data.
  std::string function_field{};
  /// Also takes functions that are not listed (needs: a slot's share); the run handler then fails them with
  /// an error.
  bool take_unknown = false;
};

struct LedgerOptions {
  /// What may be granted; see plan_slots().
  Resources capacity{};
  /// A slot's share = capacity / slots.
  std::uint32_t slots = 1;
  /// 1 to 4: granted cores may reach cores * this. Above 1 the granted threads exceed the machine's cores.
  double cpu_factor = 1.0;
  std::vector<QueueRules> queues{};
  std::map<FunctionName, FunctionNeeds> functions{};
  /// Most jobs of one take request.
  std::uint32_t max_take = 256;
  /// Take requests of a queue that may be in flight. From 8 slots on each takes at most its part of the
  /// slots, so that the requests alternate.
  std::uint32_t takes_in_flight = 1;
};

/// Statistics of one function's runs. Older runs weigh less (half after 200 runs).
struct FunctionUse {
  std::uint64_t runs = 0;
  std::uint32_t running = 0;
  /// Nothing before five runs.
  std::optional<Duration> wall_p50, wall_p90;
  /// CPU time / wall time.
  std::optional<double> cores_p75;
  /// Nothing if it was not measured.
  std::optional<std::uint64_t> memory_p95_bytes;
};

struct LedgerStatus {
  Resources capacity{};
  /// Of running jobs, now and at most since the start. Never above the capacity (cores: times cpu_factor).
  Resources granted, highest_granted;
  /// For take requests in flight.
  Resources booked{};
  std::uint64_t overhead_bytes = 0;
  std::uint32_t running = 0, highest_running = 0;
  /// Sum of granted threads.
  std::uint32_t threads = 0, highest_threads = 0;
  struct Head {
    QueueName queue{};
    JobId job{};
    FunctionName function{};
    Needs needs{};
    /// Since it first did not fit.
    Duration waited{0};
    /// By the usual duration of the current runs; nothing if it is not known.
    std::optional<Duration> starts_in;
  };
  std::vector<Head> heads{};
  std::map<FunctionName, FunctionUse> functions{};
};

class Ledger final : public Admission {
 public:
  explicit Ledger(LedgerOptions options);
  ~Ledger() override;

  Booking book(const QueueName& queue, Instant now) override;
  void settle(std::uint64_t booking, const std::vector<Taken>& taken,
              const std::optional<BlockedHead>& blocked, Instant now) override;
  Grant grant(const LockToken& run) override;
  void release(const LockToken& run, const Usage& usage, Instant now) override;
  std::vector<QueueName> order() override;
  void explain(WaitFacts& facts, Instant now) const override;

  /// Resident memory of idle and spare runners, which is not granted to jobs. At most three quarters of the
  /// capacity are subtracted.
  void set_overhead(std::uint64_t bytes);
  /// Takes no job of this function until mark_available(), for example while its pool cannot start runners.
  /// `reason` becomes WaitFacts::unavailable.
  void mark_unavailable(const FunctionName& function, std::string reason);
  void mark_available(const FunctionName& function);

  /// The needs of a function after defaults and clamping; nothing if no queue here serves it.
  std::optional<Needs> needs_of(const FunctionName& function) const;
  LedgerStatus status(Instant now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur
