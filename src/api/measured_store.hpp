#pragma once
// A Store around a Store that counts what passes: adds, starts, ends by outcome and function, waits and runs
// in seconds. So every store is measured alike and none of them knows of metrics. The worker and the Client
// of a host are both given this one.
#include <memory>

#include "api/metrics.hpp"
#include "base/env.hpp"
#include "core/store.hpp"

namespace gaur {

/// `store`, `metrics` and `clock` must outlive it. Thread-safety: as Store.
/// Families: gaur_jobs_added_total{queue}, gaur_jobs_refused_total{queue,reason},
/// gaur_jobs_started_total{queue,function}, gaur_jobs_finished_total{queue,function,outcome},
/// gaur_job_wait_seconds{queue,function}, gaur_job_run_seconds{queue,function}.
std::unique_ptr<Store> make_measured_store(Store& store, Metrics& metrics, const Clock& clock);

}  // namespace gaur
