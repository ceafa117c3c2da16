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
  std::optional<Time> due{};  ///< of a delayed job
  Time now{};                 ///< wall clock
  bool paused = false;        ///< its queue
  std::optional<Position> position{};

  /// What this host does with jobs.
  enum class Host : std::uint8_t { kTakes, kQuiet, kStopping, kRecoversOnly, kProducer };
  Host host = Host::kTakes;

  // Facts from the ledger.
  bool queue_served = true;                    ///< a worker of this host serves the queue
  std::string refused{};                       ///< why no job of the queue is taken; "" if jobs are
  bool function_served = true;                 ///< a runner of this host serves the function
  std::string unavailable{};                   ///< why the function's pool cannot start runners; "" if it can
  std::optional<Duration> retry_in{};          ///< the next try of an unavailable pool; 0: now
  std::uint32_t running = 0, max_running = 0;  ///< of the function on this host; 0: no limit
  std::optional<Duration> limited_for{};       ///< rate limit: time until the next start
  std::optional<Needs> needs{};                ///< nothing: not known
  Resources free{};                            ///< not granted to runs
  struct Head {
    JobId id{};
    FunctionName function{};
    QueueName queue{};
    Needs needs{};
    Duration waited{0};
  };
  std::optional<Head> head{};  ///< a blocked head that this job may not pass
};

/// Nothing for a job that does not wait, and if no known fact prevents its start.
std::optional<std::string> wait_reason(const WaitFacts& facts);

}  // namespace gaur
