#include "app/host/host_status.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/host/host_warnings.hpp"
#include "app/version.hpp"

namespace gaur::app {
namespace {

RunStatus run_status(const StatusParts& parts, const RunningJob& job) {
  RunStatus run;
  run.queue = job.queue;
  run.id = job.id;
  run.function = job.function;
  const auto function = parts.config.functions.find(job.function.value);
  if (function != parts.config.functions.end()) run.pool = function->second.pool;
  run.pid = parts.pools->pid_of(job.run);
  run.running = job.running_for;
  run.cores = job.grant.threads;
  run.memory_bytes = job.grant.memory_bytes;
  return run;
}

void add_store_problems(std::vector<std::string>& why, const StatusParts& parts) {
  if (auto outage = parts.opened.outage()) why.push_back(*std::move(outage));
  if (auto shortage = parts.opened.shortage()) why.push_back(*std::move(shortage));
  if (parts.store_watch == nullptr) return;
  if (auto problem = parts.store_watch->problem()) why.push_back(*std::move(problem));
}

std::vector<std::string> why_not_ready(const StatusParts& parts, const WorkerStatus& worker,
                                       const std::vector<PoolStatus>& pools) {
  std::vector<std::string> why;
  if (parts.stopping) why.emplace_back("the host is stopping");
  if (worker.phase == WorkerPhase::kQuiet) why.emplace_back("the host is quiet: it takes no jobs");
  add_store_problems(why, parts);
  for (const PoolStatus& pool : pools) {
    if (!pool.broken.empty()) {
      why.push_back(pool.broken);  // it names the pool
    } else if (pool.runners == pool.starting && parts.config.pools.at(pool.name).min_runners > 0) {
      why.push_back(fmt::format("pool {} has no ready runner yet", pool.name));
    }
  }
  for (const QueueStatus& queue : worker.queues) {
    if (!queue.refused.empty()) {
      why.push_back(fmt::format("no jobs are taken from queue {}: {}", queue.queue.value, queue.refused));
    } else if (queue.disconnected)
      why.push_back(fmt::format("queue {}: the store does not answer", queue.queue.value));
  }
  return why;
}

void add_disk(HostStatus& status, const StatusParts& parts) {
  const DiskUse use = parts.disk->use();
  status.spill_bytes = use.spill_bytes;
  status.spill_max_bytes = parts.config.spill_bytes;
  status.results_bytes = use.results_bytes;
  status.results_max_bytes = parts.config.results.max_bytes;
  status.disk_free_bytes = use.free_bytes;
  for (std::string& warning : disk_warnings(parts.config, use)) status.warnings.push_back(std::move(warning));
}

/// Adds queues whose requests are rejected to those that the watch refuses.
void add_refused(HostStatus& status, const WorkerStatus& worker) {
  for (const QueueStatus& queue : worker.queues) {
    const bool known = std::ranges::any_of(status.refused_queues,
                                           [&](const RefusedQueue& one) { return one.queue == queue.queue; });
    if (!known && !queue.refused.empty()) status.refused_queues.push_back({queue.queue, queue.refused});
  }
}

/// The status that does not need a worker.
HostStatus common_status(const StatusParts& parts) {
  HostStatus status;
  status.name = parts.config.worker_name;
  status.version = kVersion;
  status.started = parts.started;
  status.role = parts.role;
  status.store = parts.opened.description;
  status.stopping = parts.stopping;
  status.warnings = host_warnings(parts.config, parts.role == "worker", parts.clock.wall());
  if (parts.watch != nullptr) {
    for (auto& [queue, refusal] : parts.watch->refused()) {
      if (refusal.mixed) status.mixed_queues.push_back(queue);
      status.warnings.push_back(refusal.error.message);
      status.refused_queues.push_back({queue, std::move(refusal.error.message)});
    }
  }
  if (parts.store_watch != nullptr) {
    for (std::string& warning : parts.store_watch->warnings()) status.warnings.push_back(std::move(warning));
  }
  if (parts.disk != nullptr) add_disk(status, parts);
  if (parts.opened.embedded) {
    const EmbeddedStats stats = parts.opened.embedded->stats();
    status.store_bytes = stats.file_bytes;
    status.store_reserved_bytes = stats.reserved_bytes;
    status.store_full = stats.full;
  }
  return status;
}

HostStatus producer_status(const StatusParts& parts) {
  HostStatus status = common_status(parts);
  status.phase = parts.stopping ? "stopping" : "running";
  if (parts.stopping) status.not_ready.emplace_back("the host is stopping");
  add_store_problems(status.not_ready, parts);
  if (!status.refused_queues.empty() && status.refused_queues.size() == parts.config.queues.size())
    status.not_ready.emplace_back("every queue is refused (GET /v1/host: refused_queues)");
  status.ready = status.not_ready.empty();
  return status;
}

HostStatus host_status(const StatusParts& parts, const WorkerStatus& worker) {
  const LedgerStatus ledger = parts.ledger->status(parts.clock.now());
  HostStatus status = common_status(parts);
  status.phase = to_string(worker.phase);
  status.cores = ledger.capacity.cores;
  status.memory_bytes = ledger.capacity.memory_bytes;
  status.reserved_bytes = parts.config.slots.reserve_bytes;
  status.cores_granted = ledger.granted.cores;
  status.memory_granted = ledger.granted.memory_bytes;
  status.slots = parts.config.slots.slots;
  status.slots_sum = parts.config.slots.text;
  add_refused(status, worker);
  for (const RunningJob& job : worker.running) status.runs.push_back(run_status(parts, job));
  status.pools = parts.pools->status();
  if (parts.unserved != nullptr) status.unserved = parts.unserved->found();
  status.not_ready = why_not_ready(parts, worker, status.pools);
  status.ready = status.not_ready.empty();
  return status;
}

}  // namespace

Future<HostStatus> collect_status(const StatusParts& parts) {
  if (parts.worker == nullptr) return ready(producer_status(parts));
  Promise<HostStatus> promise;
  parts.worker->status().then([parts, promise](WorkerStatus worker) {
    parts.loop->post(
        [parts, promise, worker = std::move(worker)] { promise.set(host_status(parts, worker)); });
  });
  return promise.future();
}

}  // namespace gaur::app
