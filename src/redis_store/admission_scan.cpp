#include "redis_store/admission_scan.hpp"

namespace gaur::redis_store {
namespace {

constexpr std::uint64_t kIdsPerScript = 512;
constexpr std::string_view kDataPerScript = "262144";  // bytes, which the server reads and does not decode
constexpr std::size_t kScanParts = 6;
constexpr Duration kAuditEvery{60'000};
constexpr Duration kAuditPause{50};  // between two of its scripts: uses at most about 2 % of the server

std::vector<std::string> arguments_of(const ScanTask& task, std::uint64_t ids = kIdsPerScript) {
  const ScanPosition& from = task.from;
  std::vector<std::string> arguments{std::to_string(from.next),      std::to_string(ids),
                                     task.field.empty() ? "0" : "1", std::string(kDataPerScript),
                                     std::to_string(from.search),    std::to_string(from.anchors.size())};
  for (const Spot& anchor : from.anchors) {
    arguments.push_back(anchor.id.value);
    arguments.push_back(std::to_string(anchor.place));
  }
  for (const JobId& id : task.asked) arguments.push_back(id.value);
  return arguments;
}

std::optional<FunctionName> function_read(const redis::Reply& name, const redis::Reply& data,
                                          const std::string& field) {
  if (name.is_nil() && data.is_nil()) return std::nullopt;
  const std::string own = name.is_nil() ? "__default__" : text_of(name);
  return function_of(own, text_of(data), field);
}

/// {"ok", first, shift, waiting, {id, name, data ...}, {id, place, name, data ...}}
Scanned read_scanned(const redis::Reply::Array& parts, const std::string& field) {
  Scanned out{.first = static_cast<std::uint64_t>(integer_of(parts[1])),
              .shift = integer_of(parts[2]),
              .waiting = static_cast<std::uint64_t>(integer_of(parts[3]))};
  const auto& jobs = array_of(parts[4]);
  for (std::size_t i = 0; i + 2 < jobs.size(); i += 3)
    out.jobs.push_back(
        {JobId(text_of(jobs[i])), function_read(jobs[i + 1], jobs[i + 2], field), out.first + i / 3});
  const auto& asked = array_of(parts[5]);
  for (std::size_t i = 0; i + 3 < asked.size(); i += 4)
    out.asked.push_back({JobId(text_of(asked[i])), function_read(asked[i + 2], asked[i + 3], field),
                         static_cast<std::uint64_t>(integer_of(asked[i + 1]))});
  return out;
}

}  // namespace

/// A part that was requested ahead: its reply, or the task that waits for it. TakeMemory's mutex guards it.
struct ScanAhead {
  std::uint64_t from = 0;
  std::string field;
  std::optional<Result<redis::Reply>> reply;
  std::optional<ScanTask> waiting;
};

void AdmissionScan::run_if_needed(const QueueName& queue) {
  std::optional<ScanTask> task;
  bool audit_starts = false;
  {
    std::lock_guard lock(memory_->mutex);
    TakeMemory::OfQueue& here = memory_->queues[queue];
    if (here.scanning) return;
    task = here.index.next_scan();
    here.scanning = task.has_value();
    audit_starts = here.index.active() && !std::exchange(here.audited, true);
  }
  if (audit_starts) schedule_audit(queue, kAuditEvery);
  if (task) run(queue, *task);
}

/// In a long list the next part is requested before this one is processed, so that the server is not idle
/// meanwhile.
void AdmissionScan::run(const QueueName& queue, const ScanTask& task) {
  std::shared_ptr<ScanAhead> before, next;
  std::optional<Result<redis::Reply>> reply;
  {
    std::lock_guard lock(memory_->mutex);
    TakeMemory::OfQueue& here = memory_->queues[queue];
    const bool is_forward = task.kind == ScanTask::Kind::kForward && task.asked.empty();
    if (is_forward) before.swap(here.ahead);
    if (before && (before->from + 1 != task.from.next || before->field != task.field)) before.reset();
    if (is_forward && task.is_long) next = here.ahead = std::make_shared<ScanAhead>();
    if (next) next->from = task.from.next + kIdsPerScript - 1;
    if (next) next->field = task.field;
    if (before && !before->reply) before->waiting = task;
    if (before) reply = before->reply;
  }
  if (!before) send(queue, task);
  if (next) send_ahead(queue, task, next);
  if (reply) use_ahead(queue, task, *reply);
}

void AdmissionScan::send(const QueueName& queue, const ScanTask& task) {
  context_->run("admission_scan", queue, arguments_of(task))
      .then([weak = weak_from_this(), queue, task](Result<redis::Reply> reply) {
        const auto self = weak.lock();
        if (!self) return;
        auto good = checked(std::move(reply));
        if (good) return self->read(queue, task, *good);
        std::lock_guard lock(self->memory_->mutex);  // the next take request that finds nothing scans again
        TakeMemory::OfQueue& here = self->memory_->queues[queue];
        here.scanning = false;
        if (task.kind == ScanTask::Kind::kAudit) here.audited = false;
      });
}

void AdmissionScan::send_ahead(const QueueName& queue, const ScanTask& task,
                               const std::shared_ptr<ScanAhead>& ahead) {
  const ScanTask part{.from = {.next = ahead->from}, .field = task.field};
  context_->run("admission_scan", queue, arguments_of(part, kIdsPerScript + 1))
      .then([weak = weak_from_this(), queue, ahead](Result<redis::Reply> reply) {
        const auto self = weak.lock();
        if (!self) return;
        std::optional<ScanTask> waiting;
        {
          std::lock_guard lock(self->memory_->mutex);
          waiting = ahead->waiting;
          if (!waiting) ahead->reply = std::move(reply);
        }
        if (waiting) self->use_ahead(queue, *waiting, reply);
      });
}

/// The part begins with the last id that was read. Otherwise the list has changed, and the part is requested
/// again.
void AdmissionScan::use_ahead(const QueueName& queue, const ScanTask& task,
                              const Result<redis::Reply>& reply) {
  if (!reply || array_of(*reply).size() < kScanParts) return send(queue, task);
  Scanned result = read_scanned(array_of(*reply), task.field);
  bool fits = result.jobs.size() > 1 && !task.from.anchors.empty() &&
              result.jobs.front().id == task.from.anchors.front().id && result.first + 1 == task.from.next;
  {
    std::lock_guard lock(memory_->mutex);
    fits = fits && memory_->queues[queue].index.planned() == task.planned;
  }
  if (!fits) return send(queue, task);
  result.jobs.erase(result.jobs.begin());
  ++result.first;
  finish(queue, task, &result);
}

void AdmissionScan::read(const QueueName& queue, const ScanTask& task, const redis::Reply& reply) {
  const auto& parts = array_of(reply);
  if (parts.size() < kScanParts) return finish(queue, task, nullptr);
  const Scanned result = read_scanned(parts, task.field);
  finish(queue, task, &result);
}

/// nullptr: none of its anchors was found.
void AdmissionScan::finish(const QueueName& queue, const ScanTask& task, const Scanned* result) {
  bool found = false, audit_continues = false;
  {
    std::lock_guard lock(memory_->mutex);
    TakeMemory::OfQueue& here = memory_->queues[queue];
    here.scanning = false;
    if (result != nullptr) {
      found = here.index.scanned(task, *result);
    } else {
      here.index.lost(task);
    }
    audit_continues = !here.index.audit_done();
  }
  if (found && context_->on_found) context_->on_found(queue);
  if (task.kind == ScanTask::Kind::kAudit) schedule_audit(queue, audit_continues ? kAuditPause : kAuditEvery);
  run_if_needed(queue);
}

void AdmissionScan::schedule_audit(const QueueName& queue, Duration after) {
  context_->env.loop.post_at(context_->env.clock.now() + after, [weak = weak_from_this(), queue] {
    if (const auto self = weak.lock()) self->audit(queue);
  });
}

void AdmissionScan::audit(const QueueName& queue) {
  std::optional<ScanTask> task;
  {
    std::lock_guard lock(memory_->mutex);
    TakeMemory::OfQueue& here = memory_->queues[queue];
    if (!here.index.active()) {
      here.audited = false;
      return;
    }
    if (!std::exchange(here.scanning, true)) task = here.index.audit();
  }
  if (!task) return schedule_audit(queue, kAuditPause);
  run(queue, *task);
}

// ---- waiting functions -------------------------------------------------------------------------

struct AdmissionScan::Count {
  QueueName queue;
  std::string field;
  std::uint32_t limit = 0;
  std::map<FunctionName, std::uint64_t> jobs;
  unsigned scripts = 0;
  Promise<Result<std::vector<WaitingFunction>>> promise;
};

Async<std::vector<WaitingFunction>> AdmissionScan::waiting_functions(const QueueName& queue,
                                                                     std::string field, std::uint32_t limit) {
  auto state = std::make_shared<Count>();
  state->queue = queue;
  state->field = std::move(field);
  state->limit = limit;
  auto future = state->promise.future();
  count(state, 0);
  return future;
}

void AdmissionScan::count(const std::shared_ptr<Count>& state, std::uint64_t from) {
  constexpr std::uint64_t kCounted = 1'024;
  constexpr unsigned kMostScripts = 8;  // with large data each script reads few jobs
  const ScanTask task{.from = {.next = from}, .field = state->field};
  context_->run("admission_scan", state->queue, arguments_of(task))
      .then([self = shared_from_this(), state, from](Result<redis::Reply> reply) {
        auto good = checked(std::move(reply));
        if (!good) return state->promise.set(good.error());
        const auto& parts = array_of(*good);
        if (parts.size() < kScanParts) return state->promise.set(malformed("admission_scan"));
        const Scanned result = read_scanned(parts, state->field);
        for (const Scanned::Read& job : result.jobs) {
          if (job.function) ++state->jobs[*job.function];
        }
        const std::uint64_t end = from + result.jobs.size();
        const bool whole = result.jobs.empty() || end >= result.waiting;
        if (!whole && end < kCounted && ++state->scripts < kMostScripts) return self->count(state, end);
        if (!whole) {
          std::lock_guard lock(self->memory_->mutex);
          for (const auto& [function, jobs] : self->memory_->queues[state->queue].index.counts())
            state->jobs[function] = std::max(state->jobs[function], jobs);
        }
        std::vector<WaitingFunction> out;
        for (const auto& [function, jobs] : state->jobs) {
          if (out.size() < state->limit) out.push_back({function, jobs, whole});
        }
        state->promise.set(std::move(out));
      });
}

}  // namespace gaur::redis_store
