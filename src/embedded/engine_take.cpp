// Taking: the walk by needs, starts, hand-off to parked turns, and hints for those that wait.
#include <fmt/format.h>

#include "base/try.hpp"
#include "embedded/engine.hpp"
#include "embedded/ready_line.hpp"

namespace gaur::embedded {

namespace {
constexpr std::size_t kRememberedFunctions = 4096;
constexpr std::size_t kMostTold = 10'000;
}  // namespace

JobId Engine::id_of(JobKey job) {
  return JobId(job.job < kOwnIds ? std::to_string(job.job) : own_id(job));
}

/// Damaged jobs are left where they lie, and named to whoever asks for them: one must not stop a queue.
Result<Engine::Picked> Engine::take(QueueEntry& queue, const TakeRequest& turn) {
  Picked picked;
  visited_ = 0;
  if (queue.record.paused) return picked;
  const std::uint64_t ready = queue.ready();
  picked.more = ready > 0;
  if (turn.take == 0 || ready == 0) return picked;
  touch(queue);
  if (turn.filter) index_by(queue, turn.filter->function_field);
  if (turn.filter) picked.free = turn.filter->free, picked.spare = turn.filter->spare;
  picked.taken.reserve(std::min<std::uint64_t>(turn.take, ready));
  Wanted wanted(turn.filter ? &*turn.filter : nullptr);
  ReadyLine line(*txn_, queue.record.number);
  while (!line.done() && picked.taken.size() < turn.take) {
    const auto entry = ready_entry_of(line.value());
    if (entry && !wanted.has(entry->function)) {
      line.skip(wanted);
      continue;
    }
    auto job = entry ? read_candidate(queue, line.key(), *entry, turn) : std::nullopt;
    const State previous = job ? job->state.state : State::kWaiting;
    const Verdict verdict = job ? judge(turn, *job, picked) : Verdict::kSkip;
    if (job && verdict == Verdict::kTake && start_or_fail(queue, *job, turn, picked)) {
      line.erase(entry->function);
      --queue.count(previous);
      continue;
    }
    if (job && verdict != Verdict::kTake) wanted.drop(entry->function);
    line.next();
    if (verdict == Verdict::kEnd) break;
  }
  visited_ = line.visited();
  picked.more = !line.done();
  if (queue.ready() != ready) ready_changed(queue);
  return picked;
}

/// Nothing if the entry, the job's state or its data are damaged.
std::optional<Engine::Candidate> Engine::read_candidate(const QueueEntry& queue, std::string_view place,
                                                        const ReadyEntry& entry, const TakeRequest& turn) {
  const JobKey key{queue.record.number, entry.job};
  auto state = load_state(*txn_, key);
  const bool whole = state && (state->state == State::kWaiting || state->state == State::kPrioritized) &&
                     place_key(key, *state).view() == place;
  auto function = whole ? function_name(key, turn) : Result<FunctionName>(FunctionName());
  if (!whole || !function) return std::nullopt;
  return Candidate{key, *state, *std::move(function)};
}

/// Active, or failed if it has started too often: either way it leaves the line, from which the caller erases
/// it. False: its data are damaged, and it stays.
bool Engine::start_or_fail(QueueEntry& queue, Candidate& job, const TakeRequest& turn, Picked& picked) {
  if (job.state.attempts_started >= semantics_.max_starts) {
    end_wait(
        queue, job.key, job.state, job.state.state,
        {"stalled", fmt::format("started {} times, which is the limit", job.state.attempts_started), "", ""});
    return true;
  }
  auto started = start(queue, job.key, job.state, turn, picked.taken.size(), std::move(job.function));
  if (!started) return false;
  picked.taken.push_back(*std::move(started));
  return true;
}

/// Admit, as core/needs.hpp words it. Subtracts what is taken.
Engine::Verdict Engine::judge(const TakeRequest& turn, const Candidate& job, Picked& picked) {
  if (!turn.filter) return Verdict::kTake;
  const AdmissionFilter& admit = *turn.filter;
  const auto known = admit.needs.find(job.function);
  if (known == admit.needs.end() && !admit.default_needs) return Verdict::kSkip;
  const Needs& needs = known == admit.needs.end() ? *admit.default_needs : known->second;
  if (needs.unavailable) return Verdict::kSkip;
  const bool room = fits(needs, picked.free);
  if (!picked.blocked) {
    if (!room) {
      picked.blocked = BlockedHead{id_of(job.key), job.function, needs, from_ms(job.state.ready_since)};
      return admit.backfill ? Verdict::kSkip : Verdict::kEnd;
    }
  } else {
    if (!room) return Verdict::kSkip;
    if (!needs.ends_before_head) {
      if (!fits(needs, picked.spare)) return Verdict::kSkip;
      subtract(picked.spare, needs);
    }
  }
  subtract(picked.free, needs);
  return Verdict::kTake;
}

Result<FunctionName> Engine::function_name(JobKey job, const TakeRequest& turn) {
  const std::string_view field =
      turn.filter ? std::string_view(turn.filter->function_field) : std::string_view();
  if (!field.empty()) {
    if (functions_field_ != field || functions_.size() > kRememberedFunctions) functions_.clear();
    functions_field_ = field;
    if (const auto known = functions_.find(job); known != functions_.end()) return known->second;
  }
  const Key key(job);
  const auto record = txn_->get(Table::kBody, key.view());
  // Unchecked: a job that is taken is read again, and checked then.
  const auto body = record ? decode_body(*record, key.view(), false) : std::nullopt;
  if (!body) return damaged("the data of a job", key.view());
  FunctionName function = function_of(body->name, body->data, field);
  if (!field.empty()) functions_.emplace(job, function);
  return function;
}

/// Reads all of the job first; then it is active, but still in the list that the caller walks.
Result<Taken> Engine::start(QueueEntry& queue, JobKey key, JobState& state, const TakeRequest& turn,
                            std::size_t index, FunctionName function) {
  const std::uint32_t by = name_number(turn.worker);
  JobState started = state;
  started.processed_by = 0;  // the name is at hand; no need to read it back
  GAUR_TRY(Job job, load_job(*txn_, queue.name, key, started));
  const State previous = state.state;
  state.state = State::kActive;
  ++state.attempts_started;
  state.processed_on = to_ms(now_.wall);
  state.processed_by = by;
  put(queue, key, state);
  write_state(key, state);
  functions_.erase(key);

  job.state = State::kActive;
  job.attempts_started = state.attempts_started;
  job.processed_on = now_.wall;
  job.processed_by = turn.worker;
  // Number 0 is not remembered and comes again: a number of the store's keeps its tokens apart.
  LockToken token(
      turn.op.sequence > 0
          ? fmt::format("{}:{}:{}", turn.op.session.value, turn.op.sequence, index)
          : fmt::format("{}:0:{}:{}", turn.op.session.value, job.id.value, ++global_.last_unnumbered));
  locks_.take(key, {token, now_.steady + turn.lock, turn.worker, std::nullopt});
  event(queue, EventKind::kActive, key.job,
        key.job < kOwnIds ? std::string_view() : std::string_view(job.id.value), previous);
  ++totals_.taken;
  return Taken{std::move(job), std::move(token), std::move(function)};
}

QueueHint Engine::next_of(QueueEntry& queue, bool more) {
  QueueHint next;
  if (queue.count(State::kDelayed) > 0) {
    Walk walk(*txn_, Table::kDelayed, Key().u32(queue.record.number).view());
    if (!walk.done()) next.due = from_ms(i64_at(walk.key(), 4));
  }
  next.more = more;
  next.paused = queue.record.paused;
  return next;
}

Result<QueueHint> Engine::wake_delayed(const QueueName& name) {
  constexpr std::size_t kAtMost = 1000;
  QueueEntry* const queue = find_queue(name);
  if (queue == nullptr) return QueueHint{};
  std::vector<JobKey> due;
  for (Walk walk(*txn_, Table::kDelayed, Key().u32(queue->record.number).view());
       !walk.done() && due.size() < kAtMost; walk.next()) {
    if (i64_at(walk.key(), 4) > to_ms(now_.wall)) break;
    due.push_back({queue->record.number, number_of(walk.value()).value_or(0)});
  }
  for (const JobKey key : due) {
    auto state = load_state(*txn_, key);
    if (!state) continue;  // damaged: named to whoever asks for it
    touch(*queue);
    lift(*queue, key, *state);
    to_ready(*queue, key, *state, State::kDelayed, Place::kBehind);
  }
  serve();
  return next_of(*queue, queue->ready() > 0);
}

Result<bool> Engine::hand_off(const TakeRequest& turn, TakeReply& reply) {
  QueueEntry* const queue = find_queue(turn.queue);
  if (queue == nullptr || queue->ready() == 0) return false;
  GAUR_TRY(Picked picked, take(*queue, turn));
  if (picked.taken.empty()) return false;
  reply.taken = std::move(picked.taken);
  reply.blocked = std::move(picked.blocked);
  reply.next = next_of(*queue, picked.more);
  reply.cancels = cancels_for(*queue, turn.worker);
  if (turn.op.sequence > 0) remember(turn.op, 2, encode_turn(turn, reply));
  return true;
}

void Engine::refresh(const TakeRequest& turn, TakeReply& reply) {
  QueueEntry* const queue = find_queue(turn.queue);
  if (queue == nullptr) return;
  reply.next = next_of(*queue, queue->ready() > 0);
  reply.cancels = cancels_for(*queue, turn.worker);
}

std::vector<CancelRequest> Engine::cancels_for(const QueueEntry& queue, const std::string& by, bool once) {
  std::vector<CancelRequest> cancels;
  if (!locks_.any_cancels()) return cancels;
  std::vector<JobKey> told;
  locks_.for_each([&](JobKey job, const Lock& lock) {
    if (job.queue != queue.record.number || !lock.cancel || lock.worker != by) return;
    if (once && lock.cancel->told_waiter) return;
    if (once) told.push_back(job);
    cancels.push_back({queue.name, id_of(job), lock.token, lock.cancel->who, lock.cancel->why});
  });
  for (const JobKey job : told) locks_.waiter_told(job);
  return cancels;
}

std::optional<WorkReply> Engine::work_for(const WorkRequest& request) {
  WorkReply reply;
  for (const QueueName& name : request.queues) {
    const QueueEntry* queue = find_queue(name);
    if (queue == nullptr) continue;
    // Worker names may come and go for ever. Who is forgotten is told once more, which is harmless.
    if (reported_.size() >= kMostTold) reported_.clear();
    std::uint64_t& told = reported_[{request.worker, name}];
    if (told != queue->arrivals && queue->ready() > 0 && !queue->record.paused) {
      told = queue->arrivals;
      reply.queues.push_back(name);
    }
    for (CancelRequest& cancel : cancels_for(*queue, request.worker, true))
      reply.cancels.push_back(std::move(cancel));
  }
  if (reply.queues.empty() && reply.cancels.empty()) return std::nullopt;
  return reply;
}

}  // namespace gaur::embedded
