// The sets of jobs (ready, delayed, active, finished), their counts, and the removal of jobs.
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

/// Inserts the job at the end of the set of its state, which is not ready. The caller sets the order of a
/// delayed job.
void Engine::insert_last(QueueEntry& queue, JobKey job, JobState& state) {
  if (state.state == State::kActive || state.state == State::kCompleted || state.state == State::kFailed) {
    state.order = ++queue.record.back;
  }
  const Key key = set_key(job, state);
  char number[8];
  std::memcpy(number, &job.job, 8);
  txn_->append(set_table(state.state), key.view(), {number, 8});
  ++queue.count(state.state);
}

FunctionHash Engine::remove_from_set(QueueEntry& queue, JobKey job, const JobState& state) {
  const Table table = set_table(state.state);
  const Key key = set_key(job, state);
  FunctionHash function = 0;
  if (table == Table::kReady) {
    const auto value = txn_->get(table, key.view());
    const auto entry = value ? decode_ready_entry(*value) : std::nullopt;
    if (entry) erase_from_index(key.view(), function = entry->function);
    ready_changed(queue);
  }
  txn_->erase(table, key.view());
  --queue.count(state.state);
  return function;
}

void Engine::make_ready(QueueEntry& queue, JobKey job, JobState& state, ListEnd where,
                        FunctionHash function) {
  state.state = state.priority == 0 ? State::kWaiting : State::kPrioritized;
  state.delay = 0;
  state.due = kNoTime;
  state.order = where == ListEnd::kFront ? --queue.record.front : ++queue.record.back;
  put_ready(set_key(job, state).view(), {job.job, function});
  ++queue.count(state.state);
  ++queue.arrivals;
  ready_changed(queue);
}

/// Makes a job ready that the caller removed from its set. Writes its state and the event.
void Engine::move_to_ready(QueueEntry& queue, JobKey job, JobState& state, State previous, ListEnd where) {
  if (where == ListEnd::kBack || previous != State::kActive) state.ready_since = to_ms(now_.wall);
  locks_.release(job);
  make_ready(queue, job, state, where, function_hash(queue, job));
  write_state(job, state);
  event(queue, EventKind::kWaiting, job.job, custom_id(job), previous);
}

void Engine::delay_until(QueueEntry& queue, JobKey job, JobState& state, std::int64_t due) {
  state.state = State::kDelayed;
  state.due = due;
  state.order = ++queue.record.back;
  insert_last(queue, job, state);
}

/// Erases a job that the caller removed from its set.
void Engine::erase_job(QueueEntry& queue, JobKey job, const JobState& state) {
  const Key key(job);
  if (job.job >= kFirstCustomNumber) {
    const std::string id = custom_id(job);
    txn_->erase(Table::kIds, id_key(queue.record.number, id).view());
  }
  locks_.release(job);
  functions_.erase(job);
  txn_->erase(Table::kBody, key.view());
  txn_->erase(Table::kState, key.view());
  constexpr std::uint16_t kParts =
      JobState::kHasProgress | JobState::kHasResult | JobState::kHasFailurePart | JobState::kHasUsageDetails;
  if ((state.flags & kParts) != 0) {
    for (PrefixScan scan(*txn_, Table::kParts, key.view()); !scan.done();) scan.erase();
  }
  if (state.has(JobState::kHasLogs)) {
    for (PrefixScan scan(*txn_, Table::kLogs, key.view()); !scan.done();) scan.erase();
  }
}

/// Erases the job of a set entry. Errors: kCorrupt, with nothing changed.
Status Engine::remove_entry(QueueEntry& queue, Table table, std::string_view entry, JobNumber number) {
  const std::string entry_key(entry);  // a view may point into the page that changes
  const JobKey key{queue.record.number, number};
  auto state = load_state(*txn_, key);
  if (!state) return state.error();
  if (table == Table::kReady) {
    const auto value = txn_->get(table, entry_key);
    if (const auto ready = value ? decode_ready_entry(*value) : std::nullopt)
      erase_from_index(entry_key, ready->function);
    ready_changed(queue);
  }
  txn_->erase(table, entry_key);
  --queue.count(state->state);
  erase_job(queue, key, *state);
  return ok();
}

void Engine::retain(QueueEntry& queue, State state, const Retention& keep, JobNumber just_finished,
                    bool& kept) {
  if (!keep.age && (!keep.count || queue.count(state) <= *keep.count)) return;
  const Key prefix = finished_prefix(queue.record.number, state);
  while (queue.count(state) > 0) {
    PrefixScan scan(*txn_, Table::kFinished, prefix.view());
    const auto oldest = scan.done() ? std::nullopt : decode_job_number(scan.value());
    if (!oldest) return;
    bool remove = keep.count && queue.count(state) > *keep.count;
    if (!remove && keep.age) {
      const auto job = load_state(*txn_, {queue.record.number, *oldest});
      remove = job && job->finished_on < to_ms(now_.wall - *keep.age);
    }
    if (!remove) return;
    if (*oldest == just_finished) kept = false;
    // A damaged job stays, and the newer ones with it; get() reports it.
    if (!remove_entry(queue, Table::kFinished, std::string(scan.key()), *oldest)) return;
  }
}

}  // namespace gaur::embedded
