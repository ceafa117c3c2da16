#include "app/host/why_waiting.hpp"

#include "core/wait_reason.hpp"

namespace gaur::app {

namespace {

/// Adds why a pool is broken and when it retries, which the ledger does not know. Call it on the pools' loop.
void add_pool_facts(const WhyParts& parts, WaitFacts& facts) {
  const auto function = parts.config.functions.find(facts.function.value);
  if (function == parts.config.functions.end()) return;
  for (const std::string& pool : {function->second.pool, function->second.plan_pool}) {
    const auto why = pool.empty() ? std::nullopt : parts.pools->broken(pool);
    if (!why) continue;
    facts.unavailable = *why;
    if (const auto next = parts.pools->next_start(pool))
      facts.retry_in = std::chrono::duration_cast<Duration>(*next - parts.clock.now());
    return;
  }
}

}  // namespace

Future<std::optional<std::string>> why_job_waits(const WhyParts& parts, WaitingJob job) {
  WaitFacts facts{.queue = std::move(job.queue),
                  .function = std::move(job.function),
                  .state = job.state,
                  .attempts_made = job.attempts_made,
                  .due = job.due,
                  .now = parts.clock.wall(),
                  .paused = job.paused,
                  .position = job.position};
  if (parts.worker == nullptr) {
    facts.host = WaitFacts::Host::kProducer;
    return ready(wait_reason(facts));
  }
  Promise<std::optional<std::string>> promise;
  parts.worker->explain(std::move(facts)).then([parts, promise](WaitFacts known) {
    parts.loop->post([parts, promise, known = std::move(known)]() mutable {
      add_pool_facts(parts, known);
      promise.set(wait_reason(known));
    });
  });
  return promise.future();
}

}  // namespace gaur::app
