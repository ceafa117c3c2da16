#pragma once
// What a worker is told: its queues, the policies of its functions, its rhythms.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/semantics.hpp"
#include "core/store.hpp"
#include "worker/status.hpp"

namespace gaur {

/// How the runs of one function are treated. A job's own options go before these, except that its `timeout`
/// and `queue_timeout` may only lower them.
struct FunctionPolicy {
  std::optional<Duration> timeout{};  ///< longest run. Default: none
  std::optional<Duration>
      queue_timeout;  ///< a job that waited longer for its first start is failed, not run. Default: none
  std::optional<std::uint32_t> attempts{};  ///< where the job names none. Default: the dialect's
  std::optional<Backoff> backoff{};  ///< where the job names neither attempts nor backoff. Default: at once
  Retention keep_completed{}, keep_failed{};  ///< where the job names none. Default: all, for ever
  /// "functions.rank": what a failure names as the table to change. Default: failures name none.
  std::string configured_in{};
  std::optional<std::size_t>
      result_bytes{};          ///< largest result that is kept. Default: job_limits.result_bytes
  bool rerun_on_crash = true;  ///< false: a run whose runner died is failed at once, code `crashed`
};

struct WorkerOptions {
  std::string
      name;  ///< stable over restarts: lanes and lock tokens are made of it. Must not be empty nor hold ':'
  std::vector<QueueName> queues{};
  std::map<FunctionName, FunctionPolicy> functions{};
  FunctionPolicy default_policy{};          ///< for functions that are not listed
  std::map<QueueName, RateLimit> limits{};  ///< starts of a queue in a span of time
  Semantics semantics{};
  Limits job_limits{};            ///< results and progress above them are failed attempts, code `too_large`
  std::uint32_t max_stalled = 1;  ///< a job that lost its runner or lock more often is failed
  /// Keep a turn parked in the store. Only with a store that has Capability::kHandOff: where a reply can be
  /// lost on its way, what a parked turn took would stay active until its locks expire.
  bool hand_off = false;
  /// Turns of a queue under way at once, for LedgerOptions: without a parked one the next travels while the
  /// store works on the first.
  std::uint32_t turns_at_once() const { return hand_off ? 1 : 2; }
  bool take = true;  ///< false: only the regular duties, sweep and waking; no job is taken

  /// Beside workers whose locks tell little (RecoverRequest): what the sweep does with active jobs without a
  /// lock, which of them it leaves alone, and for how long.
  enum class Stalled : std::uint8_t { kOn, kReport, kOff };
  Stalled stalled = Stalled::kOn;
  Duration grace{0};
  std::optional<Time> orphans_before{};

  Duration lock{30'000};  ///< life of a lock; all are renewed at half of it
  Duration check{500};    ///< how often the store is asked whether the jobs that run here are still active
  Duration sweep{1'000};  ///< recover, wake delayed jobs, look again at blocked heads
  Duration idle_check{5'000};  ///< a queue with nothing to take is asked again after this, hints or not
  Duration park{5'000};        ///< how long a parked turn and a wait for work stay in the store
  std::uint32_t progress_per_second = 20;  ///< stored for each run, the newest wins
  Duration log_batch{100};                 ///< log lines of a run are gathered for so long
  std::size_t log_lines_waiting =
      1'000;                   ///< of one run; beyond, lines are dropped and counted in the log itself
  Duration stop_grace{5'000};  ///< after runs were told to stop: then their jobs are given back without them
  Duration flush_grace{
      5'000};  ///< for the last finishes to reach the store; then stop() reports them as unsent

  WorkerEvents events{};
};

}  // namespace gaur
