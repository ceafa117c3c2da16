// What the ledger tells: why a job waits, and its sums.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "admission/ledger_impl.hpp"
#include "core/words.hpp"

namespace gaur {

namespace {

Duration until(Instant then, Instant now) {
  return std::chrono::duration_cast<Duration>(std::max(then - now, Instant::duration{0}));
}

}  // namespace

std::optional<std::string> Ledger::why_waiting(const QueueName& queue, const FunctionName& function,
                                               Instant now) const {
  const Impl& self = *impl_;
  const auto place = self.queues.find(queue);
  if (place == self.queues.end())
    return fmt::format("no worker of this host serves the queue {}", queue.value);
  const auto known = self.functions.find(function);
  const bool served = known != self.functions.end() && self.serves(known->second, queue);
  if (!served && !place->second.rules.take_unknown)
    return fmt::format("no runner of this host serves the function {}", function.value);
  if (served && !known->second.closed_why.empty()) return known->second.closed_why;
  if (served && known->second.configured.max_running > 0 &&
      known->second.running >= known->second.configured.max_running) {
    return fmt::format("{} of at most {} of {} are running", known->second.running,
                       known->second.configured.max_running, function.value);
  }
  const Needs needs = self.needs_of(function);
  const Room free{std::max(self.box().cores - self.granted.cores, 0.0),
                  self.box().memory_bytes - std::min(self.granted.memory_bytes, self.box().memory_bytes)};
  if (!fits(needs, free)) {
    return fmt::format("needs {}; {} are free", room_in_words({needs.cores, needs.memory_bytes}),
                       room_in_words(free));
  }
  const Impl::Queue* first = place->second.head ? &place->second : self.blocked_before(queue);
  if (first == nullptr || (first->head->job.function == function && first == &place->second))
    return std::nullopt;
  const Needs head = self.clamped(first->head->job.needs);
  return fmt::format(
      "waits behind job {} ({}) of queue {}, which needs {} and has waited {} for them; {} are free",
      first->head->job.id.value, first->head->job.function.value, first->rules.name.value,
      room_in_words({head.cores, head.memory_bytes}), duration_in_words(until(now, first->head->since)),
      room_in_words(free));
}

std::optional<Needs> Ledger::needs_of(const FunctionName& function) const {
  const auto found = impl_->functions.find(function);
  if (found == impl_->functions.end()) return std::nullopt;
  return impl_->needs_of(found->second);
}

LedgerStatus Ledger::status(Instant now) const {
  const Impl& self = *impl_;
  LedgerStatus status;
  status.box = self.options.box;
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
