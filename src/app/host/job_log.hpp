#pragma once
// One log line for each run whose finish the store has accepted or rejected.
#include <functional>

#include "base/log.hpp"
#include "worker/status.hpp"

namespace gaur::app {

/// For WorkerEvents::on_end. Logs "job finished" for completed, failed and cancelled jobs, else "run ended"
/// (retried, snoozed, stalled, requeued, stale).
std::function<void(const RunReport&)> job_log(Logger log);

}  // namespace gaur::app
