// Reports of the ledger: why a job waits, and the status.
#include <algorithm>
#include <cmath>

#include "admission/ledger_impl.hpp"

namespace gaur {

namespace {

Duration until(Instant then, Instant now) {
  return std::chrono::duration_cast<Duration>(std::max(then - now, Instant::duration{0}));
}

}  // namespace

void Ledger::explain(WaitFacts& facts, Instant now) const {
  const Impl& self = *impl_;
  const auto place = self.queues.find(facts.queue);
  facts.queue_served = place != self.queues.end();
  if (!facts.queue_served) return;
  const auto known = self.functions.find(facts.function);
  const bool listed = known != self.functions.end() && self.serves(known->second, facts.queue);
  facts.function_served = listed || place->second.rules.take_unknown;
  if (!facts.function_served) return;
  if (listed) {
    facts.unavailable = known->second.unavailable_reason;
    facts.running = known->second.running;
    facts.max_running = known->second.configured.max_running;
  }
  facts.needs = self.needs_of(facts.function);
  facts.free = {
      std::max(self.capacity().cores - self.granted.cores, 0.0),
      self.capacity().memory_bytes - std::min(self.granted.memory_bytes, self.capacity().memory_bytes)};
  const Impl::Queue* first = place->second.head ? &place->second : self.blocked_before(facts.queue);
  if (first == nullptr || (first->head->job.function == facts.function && first == &place->second)) return;
  const BlockedHead& head = first->head->job;
  facts.head = {head.id, head.function, first->rules.name, self.clamped(head.needs),
                until(now, first->head->since)};
}

std::optional<Needs> Ledger::needs_of(const FunctionName& function) const {
  const auto found = impl_->functions.find(function);
  if (found == impl_->functions.end()) return std::nullopt;
  return impl_->needs_of(found->second);
}

LedgerStatus Ledger::status(Instant now) const {
  const Impl& self = *impl_;
  LedgerStatus status;
  status.capacity = self.options.capacity;
  status.granted = self.granted;
  status.highest_granted = self.highest_granted;
  status.booked = self.booked;
  status.overhead_bytes = self.overhead;
  status.running = static_cast<std::uint32_t>(self.runs.size());
  status.highest_running = self.highest_running;
  status.threads = self.threads;
  status.highest_threads = self.highest_threads;
  for (const QueueName& name : self.queue_order) {
    const auto& head = self.queues.at(name).head;
    if (!head) continue;
    const Reservation reservation = self.reservation_of(*head);
    status.heads.push_back(
        {name, head->job.id, head->job.function, self.clamped(head->job.needs), until(now, head->since),
         reservation.start ? std::optional(until(*reservation.start, now)) : std::nullopt});
  }
  for (const auto& [name, function] : self.functions) {
    FunctionUse use;
    use.runs = function.wall_us.count();
    use.running = function.running;
    const auto milliseconds = [](double us) { return Duration(std::llround(us / 1000)); };
    if (const auto value = function.wall_us.quantile(0.5)) use.wall_p50 = milliseconds(*value);
    if (const auto value = function.wall_us.quantile(0.9)) use.wall_p90 = milliseconds(*value);
    if (const auto value = function.millicores.quantile(0.75)) use.cores_p75 = *value / 1000;
    if (const auto value = function.memory.quantile(0.95))
      use.memory_p95_bytes = static_cast<std::uint64_t>(*value);
    status.functions.emplace(name, use);
  }
  return status;
}

}  // namespace gaur
