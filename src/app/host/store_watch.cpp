#include "app/host/store_watch.hpp"

#include <fmt/format.h>

#include "core/human_text.hpp"

namespace gaur::app {

namespace {
constexpr Duration kStoreCheckEvery{5'000};
constexpr std::size_t kMostIdsReported = 1'000;
}  // namespace

void StoreWatch::start() {
  parts_.loop.post([this] { check(); });
}

std::optional<std::string> StoreWatch::problem() const {
  std::lock_guard lock(mutex_);
  return state_.problem;
}

std::vector<std::string> StoreWatch::warnings() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> warnings;
  if (state_.problem) warnings.push_back(*state_.problem);
  if (state_.out_of_memory) warnings.emplace_back("Redis is out of memory: adds are rejected");
  for (const auto& [queue, count] : state_.set_aside) {
    warnings.push_back(
        fmt::format("queue {}: {} job ids were set aside (gaur look lists them)", queue.value, count));
  }
  return warnings;
}

void StoreWatch::check() {
  if (stopped_) return;
  parts_.inspector.server().then([this](const Result<bull::ServerFacts>& facts) {
    if (stopped_) return;
    State next;
    {
      std::lock_guard lock(mutex_);
      next = state_;
    }
    if (facts) note_server(*facts, next);
    check_queues(parts_.queues, std::move(next));
  });
}

void StoreWatch::check_queues(std::vector<QueueName> left, State state) {
  if (stopped_) return;
  if (left.empty()) return publish(std::move(state));
  const QueueName queue = left.back();
  left.pop_back();
  parts_.inspector.set_aside(queue).then([this, queue, left = std::move(left), state = std::move(state)](
                                             const Result<std::vector<bull::SetAside>>& found) mutable {
    if (stopped_) return;
    if (found) note_set_aside(queue, *found, state);
    check_queues(std::move(left), std::move(state));
  });
}

/// Logs each change once.
void StoreWatch::note_server(const bull::ServerFacts& facts, State& state) {
  const Status accepted = redis_store::acceptable(facts, parts_.allow_eviction);
  const auto problem = accepted ? std::nullopt : std::optional(accepted.error().message);
  if (problem && problem != state.problem)
    parts_.log.error("the Redis server is not acceptable any more", {{"error", *problem}});
  if (!problem && state.problem) parts_.log.info("the Redis server is acceptable again");
  state.problem = problem;
  const bool full = facts.maxmemory_bytes > 0 && facts.used_bytes >= facts.maxmemory_bytes;
  if (full && !state.out_of_memory) {
    parts_.log.error("Redis is out of memory: adds are rejected",
                     {{"used", human_bytes(facts.used_bytes)},
                      {"maxmemory", human_bytes(facts.maxmemory_bytes)},
                      {"do", "raise maxmemory, or keep fewer finished jobs"}});
  }
  if (!full && state.out_of_memory) parts_.log.info("Redis has memory again");
  state.out_of_memory = full;
}

/// Logs each id once.
void StoreWatch::note_set_aside(const QueueName& queue, const std::vector<bull::SetAside>& found,
                                State& state) {
  state.set_aside.erase(queue);
  if (found.empty()) return;
  state.set_aside[queue] = found.size();
  for (const bull::SetAside& one : found) {
    if (reported_.size() >= kMostIdsReported) return;
    if (!reported_.emplace(queue, one.id).second) continue;
    parts_.log.error("a job id was set aside",
                     {{"queue", queue.value}, {"id", one.id}, {"from", one.from}, {"why", one.why}});
  }
}

void StoreWatch::publish(State state) {
  const auto one = [&](std::string_view name, std::string_view help, bool value) {
    parts_.metrics.gauge(name, help, {{Labels{}, value ? 1.0 : 0.0}});
  };
  one("gaur_store_refused",
      "1 while the Redis server is a replica, may evict keys, or is not acceptable otherwise (GET /readyz).",
      state.problem.has_value());
  one("gaur_store_out_of_memory", "1 while Redis uses its maxmemory and rejects adds.", state.out_of_memory);
  std::vector<std::pair<Labels, double>> rows;
  for (const auto& [queue, count] : state.set_aside)
    rows.emplace_back(Labels{{"queue", queue.value}}, static_cast<double>(count));
  parts_.metrics.gauge("gaur_set_aside_ids", "Job ids that no hash belongs to, by queue (gaur look).",
                       std::move(rows));
  {
    std::lock_guard lock(mutex_);
    state_ = std::move(state);
  }
  parts_.loop.post_at(parts_.clock.now() + kStoreCheckEvery, [this] { check(); });
}

}  // namespace gaur::app
