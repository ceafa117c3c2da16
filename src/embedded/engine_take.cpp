// Taking jobs: the scan of the ready jobs, starts, hand-off to long polls, hints for waiting workers.
#include <fmt/format.h>

#include "base/try.hpp"
#include "embedded/engine.hpp"
#include "embedded/ready_scan.hpp"

namespace gaur::embedded {

namespace {
constexpr std::size_t kRememberedFunctions = 4096;
constexpr std::size_t kMaxHints = 10'000;
}  // namespace

/// Skips damaged jobs, so that they do not stop a queue; get() reports them.
Result<Engine::Selection> Engine::take(QueueEntry& queue, const TakeRequest& request) {
  Selection selection;
  visited_ = 0;
  if (queue.record.paused) return selection;
  const std::uint64_t ready = queue.ready();
  selection.more = ready > 0;
  if (request.take == 0 || ready == 0) return selection;
  touch(queue);
  if (request.filter) set_index_field(queue, request.filter->function_field);
  if (request.filter) selection.free = request.filter->free, selection.spare = request.filter->spare;
  selection.taken.reserve(std::min<std::uint64_t>(request.take, ready));
  WantedFunctions wanted(request.filter ? &*request.filter : nullptr);
  ReadyScan scan(*txn_, queue.record.number);
  bool space_left = true;
  while (space_left && !scan.done() && selection.taken.size() < request.take) {
    const auto entry = decode_ready_entry(scan.value());
    if (entry && !wanted.contains(entry->function)) {
      scan.skip(wanted);
      continue;
    }
    auto job = entry ? read_candidate(queue, scan.key(), *entry, request) : std::nullopt;
    const State previous = job ? job->state.state : State::kWaiting;
    const Decision decision = job ? decide(request, *job, selection) : Decision::kSkip;
    Start started = Start::kDamaged;
    if (job && decision == Decision::kTake) started = start_candidate(queue, *job, request, selection);
    if (started == Start::kDone) {
      scan.erase(entry->function);
      --queue.count(previous);
      continue;
    }
    selection.store_full |= started == Start::kNoSpace;
    if (job && (decision != Decision::kTake || started == Start::kNoSpace)) wanted.remove(entry->function);
    scan.next();
    if (decision == Decision::kEnd) break;
    // Without a filter all jobs need the same space.
    space_left = started != Start::kNoSpace || request.filter;
  }
  visited_ = scan.visited();
  selection.more = space_left && !scan.done();
  if (queue.ready() != ready) ready_changed(queue);
  return selection;
}

/// Nothing if the entry, the job's state or its data is damaged.
std::optional<Engine::Candidate> Engine::read_candidate(const QueueEntry& queue, std::string_view key,
                                                        const ReadyEntry& entry, const TakeRequest& request) {
  const JobKey job{queue.record.number, entry.job};
  auto state = load_state(*txn_, job);
  const bool intact = state && (state->state == State::kWaiting || state->state == State::kPrioritized) &&
                      set_key(job, *state).view() == key;
  auto function = intact ? function_name(job, request) : Result<FunctionName>(FunctionName());
  if (!intact || !function) return std::nullopt;
  return Candidate{job, *state, *std::move(function)};
}

/// Starts the job; the caller then erases its ready entry. With another result the job stays ready.
Engine::Start Engine::start_candidate(QueueEntry& queue, Candidate& job, const TakeRequest& request,
                                      Selection& selection) {
  auto started = start(queue, job.key, job.state, request, selection.taken.size(), std::move(job.function));
  if (!started) return started.error().code == Errc::kStoreFull ? Start::kNoSpace : Start::kDamaged;
  selection.taken.push_back(*std::move(started));
  return Start::kDone;
}

/// Reserves the space for everything that a run of the job may store until its end, under its lock.
bool Engine::reserve_space(const Job& job, const FunctionName& function, const TakeRequest& request,
                           Lock& lock) {
  if (space_ == nullptr) return true;
  std::uint64_t result_bytes = Needs{}.result_bytes;
  if (request.filter) {
    const auto known = request.filter->needs.find(function);
    if (known != request.filter->needs.end()) result_bytes = known->second.result_bytes;
  }
  lock.reserved_bytes = bytes_of_run(job.options, result_bytes);
  lock.log_bytes = job.options.keep_logs == 0 ? 0 : kReservedLogBytes;
  return space_->book_run(lock.reserved_bytes, result_bytes);
}

/// Applies AdmissionFilter (core/needs.hpp) to one job. Subtracts the needs of a taken job.
Engine::Decision Engine::decide(const TakeRequest& request, const Candidate& job, Selection& selection) {
  if (!request.filter) return Decision::kTake;
  const AdmissionFilter& filter = *request.filter;
  const auto known = filter.needs.find(job.function);
  if (known == filter.needs.end() && !filter.default_needs) return Decision::kSkip;
  const Needs& needs = known == filter.needs.end() ? *filter.default_needs : known->second;
  if (needs.unavailable) return Decision::kSkip;
  const bool fits_free = fits(needs, selection.free);
  if (!selection.blocked) {
    if (!fits_free) {
      selection.blocked = BlockedHead{id_of(job.key), job.function, needs, from_ms(job.state.ready_since)};
      return filter.backfill ? Decision::kSkip : Decision::kEnd;
    }
  } else {
    if (!fits_free) return Decision::kSkip;
    if (!needs.ends_before_head) {
      if (!fits(needs, selection.spare)) return Decision::kSkip;
      subtract(selection.spare, needs);
    }
  }
  subtract(selection.free, needs);
  return Decision::kTake;
}

Result<FunctionName> Engine::function_name(JobKey job, const TakeRequest& request) {
  const std::string_view field =
      request.filter ? std::string_view(request.filter->function_field) : std::string_view();
  if (!field.empty()) {
    if (functions_field_ != field || functions_.size() > kRememberedFunctions) functions_.clear();
    functions_field_ = field;
    if (const auto known = functions_.find(job); known != functions_.end()) return known->second;
  }
  const Key key(job);
  const auto record = txn_->get(Table::kBody, key.view());
  // Skips the checksum: start() reads a taken job again and checks it then.
  const auto body = record ? decode_body(*record, key.view(), false) : std::nullopt;
  if (!body) return damaged("the data of a job", key.view());
  FunctionName function = function_of(body->name, body->data, field);
  if (!field.empty()) functions_.emplace(job, function);
  return function;
}

/// Reads the whole job, then makes it active. The caller erases its ready entry.
Result<Taken> Engine::start(QueueEntry& queue, JobKey key, JobState& state, const TakeRequest& request,
                            std::size_t index, FunctionName function) {
  const std::uint32_t worker = name_number(request.worker);
  JobState started = state;
  started.processed_by = 0;  // load_job() need not read the name: request.worker is known
  GAUR_TRY(Job job, load_job(*txn_, queue.name, key, started));
  Lock lock{{}, now_.steady + request.lock, request.worker, std::nullopt};
  if (!reserve_space(job, function, request, lock))
    return Error{Errc::kStoreFull, "there is no space for the job's result"};
  const State previous = state.state;
  state.state = State::kActive;
  ++state.attempts_started;
  state.processed_on = to_ms(now_.wall);
  state.processed_by = worker;
  insert_last(queue, key, state);
  write_state(key, state);
  functions_.erase(key);

  job.state = State::kActive;
  job.attempts_started = state.attempts_started;
  job.processed_on = now_.wall;
  job.processed_by = request.worker;
  // A request without a sequence number can be repeated, so a counter makes its tokens unique.
  LockToken token(
      request.op.sequence > 0
          ? fmt::format("{}:{}:{}", request.op.session.value, request.op.sequence, index)
          : fmt::format("{}:0:{}:{}", request.op.session.value, job.id.value, ++global_.last_unnumbered));
  lock.token = token;
  locks_.take(key, std::move(lock));
  event(queue, EventKind::kActive, key.job,
        key.job < kFirstCustomNumber ? std::string_view() : std::string_view(job.id.value), previous);
  ++totals_.taken;
  return Taken{std::move(job), std::move(token), std::move(function)};
}

QueueHint Engine::hint_for(QueueEntry& queue, bool more) {
  QueueHint hint;
  if (queue.count(State::kDelayed) > 0) {
    PrefixScan scan(*txn_, Table::kDelayed, Key().u32(queue.record.number).view());
    if (!scan.done()) hint.due = from_ms(i64_at(scan.key(), 4));
  }
  hint.more = more;
  hint.paused = queue.record.paused;
  return hint;
}

Result<QueueHint> Engine::wake_delayed(const QueueName& name) {
  constexpr std::size_t kLimit = 1000;
  QueueEntry* const queue = find_queue(name);
  if (queue == nullptr) return QueueHint{};
  std::vector<JobKey> due;
  for (PrefixScan scan(*txn_, Table::kDelayed, Key().u32(queue->record.number).view());
       !scan.done() && due.size() < kLimit; scan.next()) {
    if (i64_at(scan.key(), 4) > to_ms(now_.wall)) break;
    due.push_back({queue->record.number, decode_job_number(scan.value()).value_or(0)});
  }
  for (const JobKey key : due) {
    auto state = load_state(*txn_, key);
    if (!state) continue;  // damaged: get() reports it
    touch(*queue);
    remove_from_set(*queue, key, *state);
    move_to_ready(*queue, key, *state, State::kDelayed, ListEnd::kBack);
  }
  notify_ready();
  return hint_for(*queue, queue->ready() > 0);
}

Result<bool> Engine::hand_off(const TakeRequest& request, TakeReply& reply) {
  QueueEntry* const queue = find_queue(request.queue);
  if (queue == nullptr || queue->ready() == 0) return false;
  GAUR_TRY(Selection selection, take(*queue, request));
  if (selection.taken.empty()) return false;
  complete(reply, *queue, request, std::move(selection));
  if (request.op.sequence > 0) remember(request.op, OperationKind::kTake, encode_take_reply(request, reply));
  return true;
}

void Engine::complete(TakeReply& reply, QueueEntry& queue, const TakeRequest& request, Selection selection) {
  reply.taken = std::move(selection.taken);
  reply.blocked = std::move(selection.blocked);
  reply.next = hint_for(queue, selection.more);
  reply.next.store_full = selection.store_full;
  reply.cancels = cancels_for(queue, request.worker);
}

void Engine::refresh(const TakeRequest& request, TakeReply& reply) {
  QueueEntry* const queue = find_queue(request.queue);
  if (queue == nullptr) return;
  reply.next = hint_for(*queue, queue->ready() > 0);
  reply.cancels = cancels_for(*queue, request.worker);
}

std::optional<WorkReply> Engine::work_for(const WorkRequest& request) {
  WorkReply reply;
  for (const QueueName& name : request.queues) {
    const QueueEntry* queue = find_queue(name);
    if (queue == nullptr) continue;
    // Bounds the memory for workers that no longer exist. A forgotten worker gets its last hint once more.
    if (reported_.size() >= kMaxHints) reported_.clear();
    std::uint64_t& arrivals = reported_[{request.worker, name}];
    if (arrivals != queue->arrivals && queue->ready() > 0 && !queue->record.paused) {
      arrivals = queue->arrivals;
      reply.queues.push_back(name);
    }
    for (CancelRequest& cancel : cancels_for(*queue, request.worker, true))
      reply.cancels.push_back(std::move(cancel));
  }
  if (reply.queues.empty() && reply.cancels.empty()) return std::nullopt;
  return reply;
}

}  // namespace gaur::embedded
