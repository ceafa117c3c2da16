// Adding jobs.
#include <fmt/format.h>

#include <set>

#include "base/try.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

/// How many jobs of the request would be new.
std::uint64_t Engine::new_jobs_in(const AddRequest& request, const QueueEntry* queue, Txn& txn) {
  std::set<JobId> custom;
  std::uint64_t count = 0;
  for (const NewJob& job : request.jobs) {
    const auto& id = job.options.id;
    const bool exists = id && queue != nullptr && find_job(txn, queue->record.number, *id).has_value();
    if (!id || (!exists && custom.insert(*id).second)) ++count;
  }
  return count;
}

Result<std::vector<Added>> Engine::add(const AddRequest& request) {
  GAUR_TRY(const std::optional<std::string> remembered, remembered_reply(request.op, OperationKind::kAdd));
  if (remembered) return decode_added(*remembered);
  QueueEntry* known = find_queue(request.queue);
  if (request.max_waiting > 0) {
    const std::uint64_t added = new_jobs_in(request, known, *txn_);
    const std::uint64_t waiting = known == nullptr ? 0 : known->ready() + known->count(State::kDelayed);
    if (added > 0 && waiting + added > request.max_waiting) {
      return Error{Errc::kQueueFull, fmt::format("queue {}: {} jobs wait, the limit is {}; try again later",
                                                 request.queue.value, waiting, request.max_waiting)};
    }
  }
  GAUR_TRY(QueueEntry* const queue, queue_for_writing(request.queue));
  std::vector<Added> added;
  added.reserve(request.jobs.size());
  for (const NewJob& job : request.jobs) added.push_back(add_one(*queue, job));
  const std::uint64_t taken = totals_.taken;
  notify_ready();
  if (totals_.taken != taken) {  // a long poll may have taken some of them
    for (Added& one : added) {
      const auto key = find_job(*txn_, queue->record.number, one.id);
      const auto state = key ? load_state(*txn_, *key) : Result<JobState>(key.error());
      if (state) one.state = state->state;
      if (one.state == State::kActive) one.position = 0;
    }
  }
  if (request.op.sequence > 0) remember(request.op, OperationKind::kAdd, encode_added(added));
  return added;
}

Added Engine::add_one(QueueEntry& queue, const NewJob& job) {
  const JobOptions& options = job.options;
  JobKey key{queue.record.number, 0};
  if (options.id) {
    if (const auto present = find_job(*txn_, key.queue, *options.id)) {
      event(queue, EventKind::kDuplicated, present->job, options.id->value);
      const auto state = load_state(*txn_, *present);
      return {*options.id, state ? state->state : State::kWaiting, true, 0};
    }
    key.job = kFirstCustomNumber + ++queue.record.last_custom;
    txn_->put(Table::kIds, id_key(key.queue, options.id->value).view(), encode_job_number(key.job));
  } else {
    key.job = ++queue.record.last_id;
  }
  const std::string_view custom = options.id ? std::string_view(options.id->value) : std::string_view();
  const Key at(key);
  const std::string packed = encode_options(options);
  encode_body({custom, job.name, job.data, packed}, at.view(), record_);
  txn_->append(Table::kBody, at.view(), record_);

  JobState state;
  const std::int64_t now = to_ms(now_.wall);
  state.priority = options.priority;
  state.timestamp = options.timestamp ? to_ms(*options.timestamp) : now;
  state.ready_since = now;
  state.set(JobState::kLifo, options.lifo);
  event(queue, EventKind::kAdded, key.job, custom, {}, job.name);
  Added added{options.id ? *options.id : JobId(std::to_string(key.job)), State::kDelayed, false, 0};
  if (options.delay > Duration{0}) {
    state.delay = options.delay.count();
    delay_until(queue, key, state, now + state.delay);
    event(queue, EventKind::kDelayed, key.job, custom, {}, std::to_string(state.due));
  } else {
    const bool front = options.lifo && options.priority == 0;
    added.position = front ? 0 : options.priority == 0 ? queue.count(State::kWaiting) : queue.ready();
    make_ready(queue, key, state, front ? ListEnd::kFront : ListEnd::kBack,
               hash_of(function_of(job.name, job.data, queue.record.function_field)));
    event(queue, EventKind::kWaiting, key.job, custom);
  }
  write_state(key, state, true);
  added.state = state.state;
  ++totals_.added;
  return added;
}

}  // namespace gaur::embedded
