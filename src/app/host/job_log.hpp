#pragma once
// One log line for each run that ended, once the store has taken its end.
#include <functional>

#include "base/log.hpp"
#include "worker/status.hpp"

namespace gaur::app {

/// For WorkerEvents::on_end. "job finished" where the job ended (completed, failed, cancelled), "run ended"
/// where it goes on (retried, later, stalled, given_back) or the run counted for nothing (stale).
std::function<void(const RunReport&)> job_log(Logger log);

}  // namespace gaur::app
