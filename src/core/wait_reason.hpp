#pragma once
// Why a job does not run now, in words: the one place that decides them. Those who know a part of it (store,
// worker, ledger, pools) fill in the facts. docs/admission.md lists the words. Thread-safety: pure.
#include <optional>
#include <string>

#include "core/needs.hpp"
#include "gaur/job.hpp"
#include "gaur/queue.hpp"

namespace gaur {

struct WaitFacts {
  // The job, from its store.
  QueueName queue{};
  FunctionName function{};
  State state = State::kWaiting;
  std::uint32_t attempts_made = 0;
  std::optional<Time> due{};  ///< of a delayed job
  Time now{};                 ///< wall clock
  bool paused = false;        ///< its queue
  std::optional<Position> position{};

  /// What this host does with jobs.
  enum class Host : std::uint8_t { kTakes, kQuiet, kStopping, kSweeper, kProducer };
  Host host = Host::kTakes;

  // What the ledger knows.
  bool queue_served = true;     ///< a worker of this host takes from the queue
  std::string refused{};        ///< why no job of the queue is taken, in a sentence; "" while jobs are
  bool function_served = true;  ///< ... and jobs of this function
  std::string unavailable{};    ///< why the function's pool cannot start runners; "" while it can
  std::optional<Duration> tried_again_in{};    ///< 0: now
  std::uint32_t running = 0, max_running = 0;  ///< of the function on this host; at most 0: no limit
  std::optional<Duration> limited_for{};       ///< rate limit of the queue: no start before
  std::optional<Needs> needs{};                ///< nothing: not known
  Resources free{};                            ///< not granted to runs
  struct Head {
    JobId id{};
    FunctionName function{};
    QueueName queue{};
    Needs needs{};
    Duration waited{0};
  };
  std::optional<Head> head{};  ///< a job that waits for room and that this one may not pass
};

/// Nothing for a job that does not wait, and where nothing that is known holds it back.
std::optional<std::string> wait_reason(const WaitFacts& facts);

}  // namespace gaur
