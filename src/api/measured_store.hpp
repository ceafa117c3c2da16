#pragma once
// A Store that wraps another one and counts adds, starts, outcomes by function, and the seconds that jobs
// wait and run. The worker and the Client of a host use the wrapper; no store depends on the metrics.
#include <memory>
#include <optional>
#include <set>

#include "api/metrics.hpp"
#include "base/env.hpp"
#include "core/store.hpp"

namespace gaur {

/// `store`, `metrics` and `clock` must outlive it. Thread-safety: as Store.
/// Metrics: gaur_jobs_added_total{queue}, gaur_jobs_rejected_total{queue,reason},
/// gaur_jobs_started_total{queue,function}, gaur_jobs_finished_total{queue,function,outcome},
/// gaur_job_wait_seconds{queue,function}, gaur_job_run_seconds{queue,function}.
/// `configured`: the queues with series of their own; all others share the series "other".
std::unique_ptr<Store> make_measured_store(Store& store, Metrics& metrics, const Clock& clock,
                                           std::optional<std::set<QueueName>> configured = {});

}  // namespace gaur
