#pragma once
// Collects the facts about a waiting job from worker, ledger and pools; core/wait_reason.hpp turns them into
// text.
#include "app/config/config.hpp"
#include "gaur/host.hpp"
#include "runner/pools.hpp"
#include "worker/worker.hpp"

namespace gaur::app {

struct WhyParts {
  const Config& config;
  const Clock& clock;
  /// this and the next two are nullptr in a producer.
  Loop* loop = nullptr;
  Worker* worker = nullptr;
  Pools* pools = nullptr;
};

/// Everything in `parts` outlives the future. Thread-safety: any thread.
Future<std::optional<std::string>> why_job_waits(const WhyParts& parts, WaitingJob job);

}  // namespace gaur::app
