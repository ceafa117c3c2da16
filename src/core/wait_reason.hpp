#pragma once
// The reason why a job waits, as text. Store, worker, ledger and pools each set the facts that they know.
// docs/explanation/admission.md lists the reasons. Thread-safety: pure functions.
#include <optional>
#include <string>

#include "core/needs.hpp"
#include "gaur/job.hpp"
#include "gaur/queue.hpp"

namespace gaur {

struct WaitFacts {
  // The job, as its store reports it.
  QueueName queue{};
  FunctionName function{};
  State state = State::kWaiting;
  std::uint32_t attempts_made = 0;
  /// Of a delayed job.
  std::optional<Time> due{};
  /// Wall clock.
  Time now{};
  /// Its queue.
  bool paused = false;
  std::optional<Position> position{};

  /// What this host does with jobs.
  enum class Host : std::uint8_t { kTakes, kQuiet, kStopping, kRecoversOnly, kProducer };
  Host host = Host::kTakes;

  // Facts from the ledger.
  /// A worker of this host serves the queue.
  bool queue_served = true;
  /// Why no job of the queue is taken; "" if jobs are.
  std::string refused{};
  /// A runner of this host serves the function.
  bool function_served = true;
  /// Why the function's pool cannot start runners; "" if it can.
  std::string unavailable{};
  /// The next try of an unavailable pool; 0: now.
  std::optional<Duration> retry_in{};
  /// Of the function on this host; 0: no limit.
  std::uint32_t running = 0, max_running = 0;
  /// The store has no space for the results of more jobs.
  bool store_full = false;
  /// Rate limit: time until the next start.
  std::optional<Duration> limited_for{};
  /// Nothing: not known.
  std::optional<Needs> needs{};
  /// Not granted to runs.
  Resources free{};
  struct Head {
    JobId id{};
    FunctionName function{};
    QueueName queue{};
    Needs needs{};
    Duration waited{0};
  };
  /// A blocked head that this job may not pass.
  std::optional<Head> head{};
};

/// Nothing for a job that does not wait, and if no known fact prevents its start.
std::optional<std::string> wait_reason(const WaitFacts& facts);

}  // namespace gaur
