// The decisions of the ledger. docs/admission.md tells the same in words; change both together.
#include "admission/ledger.hpp"

#include <algorithm>
#include <cmath>

#include "admission/ledger_impl.hpp"

namespace gaur {

namespace {

constexpr double kEpsilon = 1e-6;  // cores: against rounding
constexpr unsigned kForgetHeadAfter = 16;
constexpr std::uint32_t kSlotsWorthSharing = 8;  // among turns under way at once

Resources less(const Resources& room, const Resources& taken) {
  return {std::max(room.cores - taken.cores, 0.0),
          room.memory_bytes > taken.memory_bytes ? room.memory_bytes - taken.memory_bytes : 0};
}

Resources smaller(const Resources& a, const Resources& b) {
  return {std::min(a.cores, b.cores), std::min(a.memory_bytes, b.memory_bytes)};
}

Resources larger(const Resources& a, const Resources& b) {
  return {std::max(a.cores, b.cores), std::max(a.memory_bytes, b.memory_bytes)};
}

void add(Resources& room, const Resources& more) {
  room.cores += more.cores;
  room.memory_bytes += more.memory_bytes;
}

Resources resources_of(const Needs& needs) {
  return {needs.cores, needs.memory_bytes};
}

std::uint32_t threads_for(const Needs& needs) {
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(needs.cores + kEpsilon)));
}

}  // namespace

// ---- room and needs ----------------------------------------------------------------------------

Ledger::Impl::Impl(LedgerOptions given) : options(std::move(given)) {
  options.slots = std::max(options.slots, 1U);
  options.max_take = std::max(options.max_take, 1U);
  options.turns_at_once = std::max(options.turns_at_once, 1U);
  if (options.slots >= kSlotsWorthSharing) {
    const std::uint32_t part = (options.slots + options.turns_at_once - 1) / options.turns_at_once;
    options.max_take = std::min(options.max_take, part);
  }
  options.cpu_factor = std::clamp(options.cpu_factor, 1.0, 4.0);
  for (QueueRules& rules : options.queues) {
    rules.weight = std::max(rules.weight, 1U);
    queue_order.push_back(rules.name);
    queues[rules.name].rules = rules;
  }
  for (const auto& [name, needs] : options.functions) functions[name].configured = needs;
}

Resources Ledger::Impl::capacity() const {
  return {options.capacity.cores * options.cpu_factor, options.capacity.memory_bytes - overhead};
}

Resources Ledger::Impl::free() const {
  return less(less(capacity(), granted), booked);
}

Needs Ledger::Impl::clamped(const Needs& needs) const {
  Needs result = needs;
  result.cores = std::clamp(needs.cores, 0.0, options.capacity.cores);
  result.memory_bytes = std::min(needs.memory_bytes, capacity().memory_bytes);
  return result;
}

Needs Ledger::Impl::needs_of(const Function& function) const {
  Needs needs;
  needs.cores = function.configured.cores.value_or(options.capacity.cores / options.slots);
  needs.memory_bytes =
      function.configured.memory_bytes.value_or(options.capacity.memory_bytes / options.slots);
  return clamped(needs);
}

Needs Ledger::Impl::needs_of(const FunctionName& name) const {
  const auto found = functions.find(name);
  return needs_of(found == functions.end() ? Function{} : found->second);
}

bool Ledger::Impl::serves(const Function& function, const QueueName& queue) const {
  const auto& where = function.configured.queues;
  return where.empty() || std::find(where.begin(), where.end(), queue) != where.end();
}

std::optional<Duration> Ledger::Impl::usual_wall(const FunctionName& name) const {
  const auto found = functions.find(name);
  if (found == functions.end()) return std::nullopt;
  const auto wall = found->second.wall_us.quantile(0.9);
  if (!wall) return std::nullopt;
  return Duration(static_cast<std::int64_t>(std::ceil(*wall / 1000)));
}

// ---- who goes first ----------------------------------------------------------------------------

Reservation Ledger::Impl::reservation_of(const Head& head) const {
  std::vector<Occupant> occupants;
  occupants.reserve(runs.size());
  for (const auto& [token, run] : runs) {
    occupants.push_back({run.needs, run.since, usual_wall(run.function), run.behind == head.serial});
  }
  return reserve(clamped(head.job.needs), free(), occupants, now);
}

bool Ledger::Impl::overdue(const Queue& queue) const {
  return queue.head && now - queue.head->since >= queue.rules.max_head_wait / 2;
}

bool Ledger::Impl::closing(const Queue& queue) const {
  return queue.head && now - queue.head->since >= queue.rules.max_head_wait * 3 / 4;
}

std::vector<const Ledger::Impl::Queue*> Ledger::Impl::ranked() const {
  std::vector<const Queue*> result;
  for (const QueueName& name : queue_order) result.push_back(&queues.at(name));
  std::stable_sort(result.begin(), result.end(), [this](const Queue* a, const Queue* b) {
    if (overdue(*a) != overdue(*b)) return overdue(*a);
    if (overdue(*a)) return a->head->since < b->head->since;
    return a->served < b->served;
  });
  return result;
}

/// The first queue that goes before this one and whose head waits for room: others get only what that head
/// leaves.
const Ledger::Impl::Queue* Ledger::Impl::blocked_before(const QueueName& queue) const {
  for (const Queue* other : ranked()) {
    if (other->rules.name == queue) return nullptr;
    if (other->head) return other;
  }
  return nullptr;
}

// ---- offering ----------------------------------------------------------------------------------

AdmissionFilter Ledger::Impl::admit_for(const Queue& queue, Ticket& ticket) const {
  AdmissionFilter admit;
  admit.function_field = queue.rules.function_field;
  admit.free = free();
  if (const Queue* other = blocked_before(queue.rules.name)) {
    admit.free = closing(*other) ? Resources{} : smaller(admit.free, reservation_of(*other->head).spare);
    ticket.passes = other->head->serial;
  }
  std::optional<Instant> ends_by;
  const bool head_waits = queue.head && !fits(clamped(queue.head->job.needs), admit.free);
  if (head_waits && queue.rules.order == QueueOrder::kBackfill && !closing(queue)) {
    const Reservation reservation = reservation_of(*queue.head);
    admit.backfill = true;
    admit.spare = smaller(reservation.spare, admit.free);
    if (ticket.passes == 0) ticket.passes = queue.head->serial;
    const Instant close = queue.head->since + queue.rules.max_head_wait * 3 / 4;
    if (reservation.start) ends_by = std::min(*reservation.start, close);
  }
  for (const auto& [name, function] : functions) {
    if (!serves(function, queue.rules.name)) continue;
    Needs needs = needs_of(function);
    needs.unavailable = !function.unavailable_why.empty() || at_most_running(function);
    const auto usual = usual_wall(name);
    needs.ends_before_head = ends_by && usual && now + *usual <= *ends_by;
    admit.needs.emplace(name, needs);
  }
  if (queue.rules.take_unknown) admit.default_needs = needs_of(Function{});
  return admit;
}

/// How many could start at the very most: so that a turn's batch is bounded, and max_running holds within a
/// turn.
std::uint32_t Ledger::Impl::most_to_take(const Queue& queue, const AdmissionFilter& admit) const {
  if (admit.free.cores < kEpsilon && admit.free.memory_bytes == 0) return 0;
  std::uint32_t most = options.max_take;
  double cores = options.capacity.cores;
  std::uint64_t memory = options.capacity.memory_bytes;
  bool open = admit.default_needs.has_value();
  if (admit.default_needs) {
    cores = admit.default_needs->cores;
    memory = admit.default_needs->memory_bytes;
  }
  for (const auto& [name, needs] : admit.needs) {
    if (needs.unavailable) continue;
    open = true;
    cores = std::min(cores, needs.cores);
    memory = std::min(memory, needs.memory_bytes);
    const Function& function = functions.at(name);
    if (const auto bound = function.configured.max_running; bound > 0)
      most = std::min(most, bound - function.running - function.promised);
  }
  if (!open) return 0;
  if (cores > kEpsilon)
    most = std::min(most, static_cast<std::uint32_t>(std::min(admit.free.cores / cores + kEpsilon, 1e6)));
  if (memory > 0)
    most = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, admit.free.memory_bytes / memory));
  // Nothing of this queue fits: it is asked all the same, so that its head becomes known and room is kept for
  // it. Another turn of it that is under way will tell as well.
  const bool is_asked = std::any_of(tickets.begin(), tickets.end(), [&](const auto& entry) {
    return entry.second.queue == queue.rules.name;
  });
  return queue.head || is_asked ? most : std::max(most, 1U);
}

/// What so many jobs can need at the very most: what is free beyond it stays free for another turn.
Resources Ledger::Impl::room_for(std::uint32_t count, const AdmissionFilter& admit) const {
  Resources largest = admit.default_needs ? resources_of(*admit.default_needs) : Resources{};
  for (const auto& [name, needs] : admit.needs) {
    if (!needs.unavailable) largest = larger(largest, resources_of(needs));
  }
  return {largest.cores * count, largest.memory_bytes * count};
}

Ledger::Ledger(LedgerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Ledger::~Ledger() = default;

Booking Ledger::offer(const QueueName& name, Instant now) {
  Impl& self = *impl_;
  self.now = now;
  Booking offer;
  offer.ticket = ++self.last_ticket;
  const auto found = self.queues.find(name);
  if (found == self.queues.end()) return offer;
  Impl::Queue& queue = found->second;
  if (queue.idle) queue.served = std::max(queue.served, self.served_now);
  Impl::Ticket ticket{name, {}, 0, 0};
  offer.filter = self.admit_for(queue, ticket);
  offer.take = self.most_to_take(queue, offer.filter);
  if (offer.take == 0) return offer;
  offer.filter.free = smaller(offer.filter.free, self.room_for(offer.take, offer.filter));
  ticket.filter = offer.filter;
  ticket.take = offer.take;
  add(self.booked, offer.filter.free);
  for (const auto& [function, needs] : offer.filter.needs) {
    if (!needs.unavailable) self.functions[function].promised += offer.take;
  }
  self.tickets.emplace(offer.ticket, std::move(ticket));
  return offer;
}

// ---- settling ----------------------------------------------------------------------------------

void Ledger::Impl::charge(Queue& queue, const Ticket& ticket, const Taken& taken) {
  const auto known = ticket.filter.needs.find(taken.function);
  const Needs needs = known != ticket.filter.needs.end()
                          ? known->second
                          : ticket.filter.default_needs.value_or(needs_of(taken.function));
  Run run{taken.function, needs, now, threads_for(needs), 0};
  if (!needs.ends_before_head) run.behind = ticket.passes;
  if (!runs.emplace(taken.token, run).second) return;
  add(granted, resources_of(needs));
  threads += run.threads;
  if (const auto function = functions.find(taken.function); function != functions.end())
    ++function->second.running;
  highest_granted.cores = std::max(highest_granted.cores, granted.cores);
  highest_granted.memory_bytes = std::max(highest_granted.memory_bytes, granted.memory_bytes);
  highest_threads = std::max(highest_threads, threads);
  highest_running = std::max(highest_running, static_cast<std::uint32_t>(runs.size()));

  const double cores_share = options.capacity.cores > 0 ? needs.cores / options.capacity.cores : 0;
  const double memory_share =
      options.capacity.memory_bytes > 0
          ? static_cast<double>(needs.memory_bytes) / static_cast<double>(options.capacity.memory_bytes)
          : 0;
  served_now = std::max(served_now, queue.served);
  queue.served += std::max({cores_share, memory_share, 1e-6}) / queue.rules.weight;
}

void Ledger::Impl::remember_head(Queue& queue, const Ticket& ticket, const std::vector<Taken>& taken,
                                 const std::optional<BlockedHead>& blocked) {
  const bool started = queue.head && std::any_of(taken.begin(), taken.end(), [&](const Taken& t) {
                         return t.job.id == queue.head->job.id;
                       });
  if (started) queue.head.reset();
  if (blocked) {
    if (!queue.head || queue.head->job.id != blocked->id) queue.head = Head{++last_head, *blocked, now, 0};
    queue.head->unconfirmed = 0;
  } else if (queue.head) {
    // A turn that took all it was allowed to may not have come as far as to the head.
    const bool walked_to_the_end = taken.size() < ticket.take;
    if (walked_to_the_end || ++queue.head->unconfirmed >= kForgetHeadAfter) queue.head.reset();
  }
  queue.idle = !queue.head && taken.size() < ticket.take;
}

void Ledger::settle(std::uint64_t number, const std::vector<Taken>& taken,
                    const std::optional<BlockedHead>& blocked, Instant now) {
  Impl& self = *impl_;
  self.now = now;
  const auto found = self.tickets.find(number);
  if (found == self.tickets.end()) return;
  const Impl::Ticket ticket = std::move(found->second);
  self.tickets.erase(found);
  self.booked = less(self.booked, ticket.filter.free);
  if (self.tickets.empty()) self.booked = {};
  for (const auto& [function, needs] : ticket.filter.needs) {
    if (!needs.unavailable) self.functions[function].promised -= ticket.take;
  }
  Impl::Queue& queue = self.queues.at(ticket.queue);
  for (const Taken& one : taken) self.charge(queue, ticket, one);
  self.remember_head(queue, ticket, taken, blocked);
}

Grant Ledger::grant(const LockToken& token) {
  const auto found = impl_->runs.find(token);
  if (found == impl_->runs.end()) return {};
  return {found->second.threads, found->second.needs.memory_bytes};
}

void Ledger::release(const LockToken& token, const Usage& usage, Instant now) {
  Impl& self = *impl_;
  self.now = now;
  const auto found = self.runs.find(token);
  if (found == self.runs.end()) return;
  const Impl::Run run = found->second;
  self.runs.erase(found);
  self.granted = self.runs.empty() ? Resources{} : less(self.granted, resources_of(run.needs));
  self.threads -= run.threads;
  const auto known = self.functions.find(run.function);
  if (known == self.functions.end()) return;
  Impl::Function& function = known->second;
  --function.running;
  if (usage.wall_us == 0) return;
  const auto held = std::chrono::duration_cast<std::chrono::microseconds>(now - run.since);
  const double wall = static_cast<double>(std::max<std::int64_t>(held.count(), 1));
  function.wall_us.add(wall);
  if (usage.cpu_us > 0) function.millicores.add(static_cast<double>(usage.cpu_us) * 1000 / wall);
  if (usage.peak_rss_bytes > 0) function.memory.add(static_cast<double>(usage.peak_rss_bytes));
}

std::vector<QueueName> Ledger::order() {
  std::vector<QueueName> names;
  for (const Impl::Queue* queue : impl_->ranked()) names.push_back(queue->rules.name);
  return names;
}

void Ledger::set_overhead(std::uint64_t bytes) {
  impl_->overhead = std::min(bytes, impl_->options.capacity.memory_bytes / 4 * 3);
}

void Ledger::mark_unavailable(const FunctionName& function, std::string why) {
  const auto found = impl_->functions.find(function);
  if (found != impl_->functions.end())
    found->second.unavailable_why = why.empty() ? "closed" : std::move(why);
}

void Ledger::mark_available(const FunctionName& function) {
  const auto found = impl_->functions.find(function);
  if (found != impl_->functions.end()) found->second.unavailable_why.clear();
}

}  // namespace gaur
