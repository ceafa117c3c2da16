// The decisions of the ledger. docs/explanation/admission.md describes them; change both together.
#include "admission/ledger.hpp"

#include <algorithm>
#include <cmath>

#include "admission/ledger_impl.hpp"

namespace gaur {

namespace {

constexpr double kEpsilon = 1e-6;  // cores; absorbs rounding
constexpr unsigned kForgetHeadAfter = 16;
constexpr std::uint32_t kSlotsToShare = 8;  // from so many on, take requests in flight share them

Resources minus(const Resources& all, const Resources& part) {
  return {std::max(all.cores - part.cores, 0.0),
          all.memory_bytes > part.memory_bytes ? all.memory_bytes - part.memory_bytes : 0};
}

Resources smaller(const Resources& a, const Resources& b) {
  return {std::min(a.cores, b.cores), std::min(a.memory_bytes, b.memory_bytes)};
}

Resources larger(const Resources& a, const Resources& b) {
  return {std::max(a.cores, b.cores), std::max(a.memory_bytes, b.memory_bytes)};
}

void add(Resources& sum, const Resources& more) {
  sum.cores += more.cores;
  sum.memory_bytes += more.memory_bytes;
}

Resources resources_of(const Needs& needs) {
  return {needs.cores, needs.memory_bytes};
}

std::uint32_t threads_for(const Needs& needs) {
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(needs.cores + kEpsilon)));
}

}  // namespace

// ---- resources and needs ----------------------------------------------------------------------------

Ledger::Impl::Impl(LedgerOptions given) : options(std::move(given)) {
  options.slots = std::max(options.slots, 1U);
  options.max_take = std::max(options.max_take, 1U);
  options.takes_in_flight = std::max(options.takes_in_flight, 1U);
  if (options.slots >= kSlotsToShare) {
    const std::uint32_t part = (options.slots + options.takes_in_flight - 1) / options.takes_in_flight;
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
  return minus(minus(capacity(), granted), booked);
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
  needs.result_bytes = function.configured.result_bytes;
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

// ---- order of queues ----------------------------------------------------------------------------

Reservation Ledger::Impl::reservation_of(const Head& head) const {
  std::vector<Occupant> occupants;
  occupants.reserve(runs.size());
  for (const auto& [token, run] : runs) {
    occupants.push_back({run.needs, run.since, usual_wall(run.function), run.backfilled_past == head.serial});
  }
  return reserve(clamped(head.job.needs), free(), occupants, now);
}

bool Ledger::Impl::overdue(const Queue& queue) const {
  return queue.head && now - queue.head->since >= queue.rules.max_head_wait / 2;
}

bool Ledger::Impl::rejects_backfill(const Queue& queue) const {
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

/// The first queue before this one with a blocked head. This queue gets only what that head will not need.
const Ledger::Impl::Queue* Ledger::Impl::blocked_before(const QueueName& queue) const {
  for (const Queue* other : ranked()) {
    if (other->rules.name == queue) return nullptr;
    if (other->head) return other;
  }
  return nullptr;
}

// ---- booking ----------------------------------------------------------------------------------

AdmissionFilter Ledger::Impl::filter_for(const Queue& queue, OpenBooking& booking) const {
  AdmissionFilter filter;
  filter.function_field = queue.rules.function_field;
  filter.free = free();
  if (const Queue* other = blocked_before(queue.rules.name)) {
    filter.free =
        rejects_backfill(*other) ? Resources{} : smaller(filter.free, reservation_of(*other->head).spare);
    booking.backfills_past = other->head->serial;
  }
  std::optional<Instant> ends_by;
  const bool head_waits = queue.head && !fits(clamped(queue.head->job.needs), filter.free);
  if (head_waits && queue.rules.order == QueueOrder::kBackfill && !rejects_backfill(queue)) {
    const Reservation reservation = reservation_of(*queue.head);
    filter.backfill = true;
    filter.spare = smaller(reservation.spare, filter.free);
    if (booking.backfills_past == 0) booking.backfills_past = queue.head->serial;
    const Instant close = queue.head->since + queue.rules.max_head_wait * 3 / 4;
    if (reservation.start) ends_by = std::min(*reservation.start, close);
  }
  for (const auto& [name, function] : functions) {
    if (!serves(function, queue.rules.name)) continue;
    Needs needs = needs_of(function);
    needs.unavailable = !function.unavailable_reason.empty() || is_at_max_running(function);
    const auto usual = usual_wall(name);
    needs.ends_before_head = ends_by && usual && now + *usual <= *ends_by;
    filter.needs.emplace(name, needs);
  }
  if (queue.rules.take_unknown) filter.default_needs = needs_of(Function{});
  return filter;
}

/// An upper bound of the jobs that can start: it bounds the batch and keeps max_running within one request.
std::uint32_t Ledger::Impl::most_to_take(const Queue& queue, const AdmissionFilter& filter) const {
  if (filter.free.cores < kEpsilon && filter.free.memory_bytes == 0) return 0;
  std::uint32_t most = options.max_take;
  double cores = options.capacity.cores;
  std::uint64_t memory = options.capacity.memory_bytes;
  bool open = filter.default_needs.has_value();
  if (filter.default_needs) {
    cores = filter.default_needs->cores;
    memory = filter.default_needs->memory_bytes;
  }
  for (const auto& [name, needs] : filter.needs) {
    if (needs.unavailable) continue;
    open = true;
    cores = std::min(cores, needs.cores);
    memory = std::min(memory, needs.memory_bytes);
    const Function& function = functions.at(name);
    if (const auto bound = function.configured.max_running; bound > 0)
      most = std::min(most, bound - function.running - function.booked);
  }
  if (!open) return 0;
  if (cores > kEpsilon)
    most = std::min(most, static_cast<std::uint32_t>(std::min(filter.free.cores / cores + kEpsilon, 1e6)));
  if (memory > 0)
    most = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, filter.free.memory_bytes / memory));
  // Nothing of this queue fits. One job is requested all the same, so that the reply reports the head and
  // resources are reserved for it, unless another take request of the queue is in flight.
  const bool in_flight = std::any_of(bookings.begin(), bookings.end(), [&](const auto& entry) {
    return entry.second.queue == queue.rules.name;
  });
  return queue.head || in_flight ? most : std::max(most, 1U);
}

/// The most that `count` jobs can need. Free resources above it remain free for other bookings.
Resources Ledger::Impl::largest_needs(std::uint32_t count, const AdmissionFilter& filter) const {
  Resources largest = filter.default_needs ? resources_of(*filter.default_needs) : Resources{};
  for (const auto& [name, needs] : filter.needs) {
    if (!needs.unavailable) largest = larger(largest, resources_of(needs));
  }
  return {largest.cores * count, largest.memory_bytes * count};
}

Ledger::Ledger(LedgerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Ledger::~Ledger() = default;

Booking Ledger::book(const QueueName& name, Instant now) {
  Impl& self = *impl_;
  self.now = now;
  Booking booking;
  booking.id = ++self.last_booking;
  const auto found = self.queues.find(name);
  if (found == self.queues.end()) return booking;
  Impl::Queue& queue = found->second;
  if (queue.idle) queue.served = std::max(queue.served, self.served_now);
  Impl::OpenBooking open{name, {}, 0, 0};
  booking.filter = self.filter_for(queue, open);
  booking.take = self.most_to_take(queue, booking.filter);
  if (booking.take == 0) return booking;
  booking.filter.free = smaller(booking.filter.free, self.largest_needs(booking.take, booking.filter));
  open.filter = booking.filter;
  open.take = booking.take;
  add(self.booked, booking.filter.free);
  for (const auto& [function, needs] : booking.filter.needs) {
    if (!needs.unavailable) self.functions[function].booked += booking.take;
  }
  self.bookings.emplace(booking.id, std::move(open));
  return booking;
}

// ---- settling ----------------------------------------------------------------------------------

void Ledger::Impl::charge(Queue& queue, const OpenBooking& booking, const Taken& taken) {
  const auto known = booking.filter.needs.find(taken.function);
  const Needs needs = known != booking.filter.needs.end()
                          ? known->second
                          : booking.filter.default_needs.value_or(needs_of(taken.function));
  Run run{taken.function, needs, now, threads_for(needs), 0};
  if (!needs.ends_before_head) run.backfilled_past = booking.backfills_past;
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

void Ledger::Impl::record_head(Queue& queue, const OpenBooking& booking, const std::vector<Taken>& taken,
                               const std::optional<BlockedHead>& blocked) {
  const bool started = queue.head && std::any_of(taken.begin(), taken.end(), [&](const Taken& t) {
                         return t.job.id == queue.head->job.id;
                       });
  if (started) queue.head.reset();
  if (blocked) {
    if (!queue.head || queue.head->job.id != blocked->id) queue.head = Head{++last_head, *blocked, now, 0};
    queue.head->unconfirmed = 0;
  } else if (queue.head) {
    // A request that took as many jobs as it may has perhaps not reached the head.
    const bool scanned_all = taken.size() < booking.take;
    if (scanned_all || ++queue.head->unconfirmed >= kForgetHeadAfter) queue.head.reset();
  }
  queue.idle = !queue.head && taken.size() < booking.take;
}

void Ledger::settle(std::uint64_t id, const std::vector<Taken>& taken,
                    const std::optional<BlockedHead>& blocked, Instant now) {
  Impl& self = *impl_;
  self.now = now;
  const auto found = self.bookings.find(id);
  if (found == self.bookings.end()) return;
  const Impl::OpenBooking booking = std::move(found->second);
  self.bookings.erase(found);
  self.booked = minus(self.booked, booking.filter.free);
  if (self.bookings.empty()) self.booked = {};
  for (const auto& [function, needs] : booking.filter.needs) {
    if (!needs.unavailable) self.functions[function].booked -= booking.take;
  }
  Impl::Queue& queue = self.queues.at(booking.queue);
  for (const Taken& one : taken) self.charge(queue, booking, one);
  self.record_head(queue, booking, taken, blocked);
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
  self.granted = self.runs.empty() ? Resources{} : minus(self.granted, resources_of(run.needs));
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

void Ledger::mark_unavailable(const FunctionName& function, std::string reason) {
  const auto found = impl_->functions.find(function);
  if (found != impl_->functions.end())
    found->second.unavailable_reason = reason.empty() ? "unavailable" : std::move(reason);
}

void Ledger::mark_available(const FunctionName& function) {
  const auto found = impl_->functions.find(function);
  if (found != impl_->functions.end()) found->second.unavailable_reason.clear();
}

}  // namespace gaur
