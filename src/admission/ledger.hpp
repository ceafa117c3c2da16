#pragma once
// The ledger of one machine: its cores and memory belong to it, for all queues. Room is booked before a turn
// is sent and settled by its reply; what is granted and booked never exceeds the box. docs/admission.md has
// the arithmetic in words.
//
// Pure: no clock, no thread, no randomness; driven by its caller's events.
// Thread-safety: confined to the worker's loop.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/admission.hpp"

namespace gaur {

/// What one run of a function needs, as configured.
struct FunctionNeeds {
  std::optional<double>
      cores;  ///< default: a slot's share. Clamped to the box, so that every job fits an empty one
  std::optional<std::uint64_t> memory_bytes{};  ///< likewise
  std::uint32_t max_running = 0;    ///< runs of this function at a time on this host; 0: as many as fit
  std::vector<QueueName> queues{};  ///< where it is served; empty: in every queue
};

enum class QueueOrder : std::uint8_t {
  kFifo,      ///< a job that does not fit holds back all behind it
  kBackfill,  ///< later jobs pass it when they do not delay it, for less than `max_head_wait`
};

struct QueueRules {
  QueueName name{};
  QueueOrder order = QueueOrder::kBackfill;
  /// The job at the head that waits for room starts within this, whatever is added behind it or in other
  /// queues, unless the runs that were there before it last longer. After half of it no other queue is served
  /// before it, after three quarters nothing passes it.
  Duration max_head_wait{30'000};
  std::uint32_t weight = 1;      ///< share of the room granted when several queues want it; 0 counts as 1
  std::string function_field{};  ///< "": a job's function is its name; else a dotted path into its data
  bool take_unknown = false;     ///< take functions that are not listed too (needs: a slot's share); the run
                                 ///< handler then fails them in words
};

struct LedgerOptions {
  Resources capacity{};     ///< what may be granted; see plan_slots()
  std::uint32_t slots = 1;  ///< share = box / slots
  double cpu_factor = 1.0;  ///< cores granted may reach cores * this; above 1 the sum of threads is above the
                            ///< machine's too. 1 to 4
  std::vector<QueueRules> queues{};
  std::map<FunctionName, FunctionNeeds> functions{};
  std::uint32_t max_take = 256;  ///< jobs in one turn at most
  /// Turns of a queue that may be under way at once: from 8 slots on each takes no more than its part of
  /// them, so that they take their turns instead of travelling together.
  std::uint32_t turns_at_once = 1;
};

/// What the runs of one function showed so far. Older runs count less (half after 200 runs).
struct FunctionUse {
  std::uint64_t runs = 0;
  std::uint32_t running = 0;
  std::optional<Duration> wall_p50, wall_p90;     ///< nothing before five runs
  std::optional<double> cores_p75;                ///< CPU time / wall time
  std::optional<std::uint64_t> memory_p95_bytes;  ///< nothing where it was not measured
};

struct LedgerStatus {
  Resources capacity{};
  Resources granted,
      highest_granted;  ///< of running jobs, now and ever; never above the box (cores: times cpu_factor)
  Resources booked{};   ///< for turns on their way
  std::uint64_t overhead_bytes = 0;
  std::uint32_t running = 0, highest_running = 0;
  std::uint32_t threads = 0, highest_threads = 0;  ///< sum of the threads granted
  struct Head {
    QueueName queue{};
    JobId job{};
    FunctionName function{};
    Needs needs{};
    Duration waited{0};  ///< since it was first found not to fit
    std::optional<Duration>
        starts_in;  ///< by the usual lengths of what runs; nothing when they are not known
  };
  std::vector<Head> heads{};
  std::map<FunctionName, FunctionUse> functions{};
};

class Ledger final : public Admission {
 public:
  explicit Ledger(LedgerOptions options);
  ~Ledger() override;

  Booking offer(const QueueName& queue, Instant now) override;
  void settle(std::uint64_t ticket, const std::vector<Taken>& taken,
              const std::optional<BlockedHead>& blocked, Instant now) override;
  Grant grant(const LockToken& run) override;
  void release(const LockToken& run, const Usage& usage, Instant now) override;
  std::vector<QueueName> order() override;
  void explain(WaitFacts& facts, Instant now) const override;

  /// Resident memory of idle and spare runners: not granted to jobs while they hold it. Never more than three
  /// quarters of the box is charged.
  void set_overhead(std::uint64_t bytes);
  /// Takes none of this function until it is opened again (its pool cannot start runners, say). `why` is
  /// WaitFacts::unavailable.
  void mark_unavailable(const FunctionName& function, std::string why);
  void mark_available(const FunctionName& function);

  /// The needs of a function after defaults and clamping; nothing when it is not served anywhere here.
  std::optional<Needs> needs_of(const FunctionName& function) const;
  LedgerStatus status(Instant now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur
