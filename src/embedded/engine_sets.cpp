// The sets in which jobs stand (ready, delayed, active, finished), their counts, and removal.
#include "embedded/engine.hpp"

#include <cstring>

namespace gaur::embedded {

void Engine::write_state(JobKey job, const JobState& state, bool fresh) {
  const Key key(job);
  encode_state(state, key.view(), record_);
  if (fresh) {
    txn_->append(Table::kState, key.view(), record_);
  } else {
    txn_->put(Table::kState, key.view(), record_);
  }
}

void Engine::write_part(JobKey job, Part part, std::string_view text) {
  const Key key = part_key(job, part);
  encode_text(Magic::kPart, text, key.view(), record_);
  txn_->append(Table::kParts, key.view(), record_);
}

/// Into the set that state.state names, which is not `ready`, last; delayed jobs have their order set by the
/// caller.
void Engine::put(QueueEntry& queue, JobKey job, JobState& state) {
  if (state.state == State::kActive || state.state == State::kCompleted || state.state == State::kFailed) {
    state.order = ++queue.record.back;
  }
  const Key key = place_key(job, state);
  char number[8];
  std::memcpy(number, &job.job, 8);
  txn_->append(place_table(state.state), key.view(), {number, 8});
  ++queue.count(state.state);
}

FunctionHash Engine::lift(QueueEntry& queue, JobKey job, const JobState& state) {
  const Table table = place_table(state.state);
  const Key key = place_key(job, state);
  FunctionHash function = 0;
  if (table == Table::kReady) {
    const auto value = txn_->get(table, key.view());
    const auto entry = value ? ready_entry_of(*value) : std::nullopt;
    if (entry) erase_indexed(key.view(), function = entry->function);
    ready_changed(queue);
  }
  txn_->erase(table, key.view());
  --queue.count(state.state);
  return function;
}

void Engine::make_ready(QueueEntry& queue, JobKey job, JobState& state, Place where, FunctionHash function) {
  state.state = state.priority == 0 ? State::kWaiting : State::kPrioritized;
  state.delay = 0;
  state.due = kNoTime;
  state.order = where == Place::kInFront ? --queue.record.front : ++queue.record.back;
  put_ready(place_key(job, state).view(), {job.job, function});
  ++queue.count(state.state);
  ++queue.arrivals;
  ready_changed(queue);
}

/// From where it was lifted to waiting or prioritized, with its event; writes the state.
void Engine::to_ready(QueueEntry& queue, JobKey job, JobState& state, State previous, Place where) {
  if (where == Place::kBehind || previous != State::kActive) state.ready_since = to_ms(now_.wall);
  locks_.release(job);
  make_ready(queue, job, state, where, function_hash(queue, job));
  write_state(job, state);
  event(queue, EventKind::kWaiting, job.job, own_id(job), previous);
}

void Engine::delay_until(QueueEntry& queue, JobKey job, JobState& state, std::int64_t due) {
  state.state = State::kDelayed;
  state.due = due;
  state.order = ++queue.record.back;
  put(queue, job, state);
}

/// All of a job but its place, which the caller has lifted.
void Engine::erase_job(QueueEntry& queue, JobKey job, const JobState& state) {
  const Key key(job);
  if (job.job >= kOwnIds) {
    const std::string id = own_id(job);
    txn_->erase(Table::kIds, id_key(queue.record.number, id).view());
  }
  locks_.release(job);
  functions_.erase(job);
  txn_->erase(Table::kBody, key.view());
  txn_->erase(Table::kState, key.view());
  constexpr std::uint16_t kParts =
      JobState::kHasProgress | JobState::kHasResult | JobState::kHasFailurePart | JobState::kHasUsageDetails;
  if ((state.flags & kParts) != 0) {
    for (Walk walk(*txn_, Table::kParts, key.view()); !walk.done();) walk.erase();
  }
  if (state.has(JobState::kHasLogs)) {
    for (Walk walk(*txn_, Table::kLogs, key.view()); !walk.done();) walk.erase();
  }
}

/// A job known only by its entry in a set: the entry goes even if the job's records are damaged.
Status Engine::remove_entry(QueueEntry& queue, Table table, std::string_view entry, JobNumber number) {
  const std::string place(entry);  // it may lie in the page that changes
  const JobKey key{queue.record.number, number};
  auto state = load_state(*txn_, key);
  if (!state) return state.error();
  if (table == Table::kReady) {
    const auto value = txn_->get(table, place);
    if (const auto ready = value ? ready_entry_of(*value) : std::nullopt)
      erase_indexed(place, ready->function);
    ready_changed(queue);
  }
  txn_->erase(table, place);
  --queue.count(state->state);
  erase_job(queue, key, *state);
  return ok();
}

void Engine::retain(QueueEntry& queue, State state, const Retention& keep, JobNumber just_finished,
                    bool& kept) {
  if (!keep.age && (!keep.count || queue.count(state) <= *keep.count)) return;
  const Key prefix = finished_prefix(queue.record.number, state);
  while (queue.count(state) > 0) {
    Walk walk(*txn_, Table::kFinished, prefix.view());
    const auto oldest = walk.done() ? std::nullopt : number_of(walk.value());
    if (!oldest) return;
    bool goes = keep.count && queue.count(state) > *keep.count;
    if (!goes && keep.age) {
      const auto job = load_state(*txn_, {queue.record.number, *oldest});
      goes = job && job->finished_on < to_ms(now_.wall - *keep.age);
    }
    if (!goes) return;
    if (*oldest == just_finished) kept = false;
    const std::string place(walk.key());
    Status removed = remove_entry(queue, Table::kFinished, place, *oldest);
    if (!removed) return;  // damaged: it stays, and the newer ones with it; get() names it
  }
}

}  // namespace gaur::embedded
