#include "model/model_state.hpp"

#include <algorithm>

namespace gaur::model {

std::string_view to_string(Mutation mutation) {
  switch (mutation) {
    case Mutation::kNone: return "none";
    case Mutation::kAckBeforeSync: return "ack before sync";
    case Mutation::kNoTokenCheck: return "no token check";
    case Mutation::kLostWakeUp: return "lost wake-up";
    case Mutation::kDoublePromote: return "double promote";
    case Mutation::kCountDrift: return "count drift";
    case Mutation::kRepeatExecuted: return "repeat executed";
    case Mutation::kBackfillDelaysHead: return "backfill delays head";
    case Mutation::kLockReleasedOnReject: return "lock released on reject";
  }
  return "unknown";
}

Record* QueueState::find(const JobId& id) {
  const auto found = jobs.find(id);
  return found == jobs.end() ? nullptr : &found->second;
}

void QueueState::make_ready(Record& record, ListEnd end) {
  Job& job = record.job;
  job.state = job.priority == 0 ? State::kWaiting : State::kPrioritized;
  job.delay = Duration{0};
  job.due.reset();
  auto& kind = job.priority == 0 ? waiting : prioritized[job.priority];
  insert_into_bull_list(job, end);
  if (end == ListEnd::kFront) {
    kind.push_front(job.id);
  } else {
    kind.push_back(job.id);
  }
  ++arrivals;
}

/// Bull counts only the prioritized jobs to find the index, so jobs without a priority in front shift it.
void QueueState::insert_into_bull_list(const Job& job, ListEnd end) {
  std::size_t before = end == ListEnd::kFront ? 0 : bull_list.size();
  if (job.priority > 0) {
    before = 0;
    for (const auto& [priority, jobs_of_it] : prioritized) {
      const bool counts = end == ListEnd::kFront ? priority < job.priority : priority <= job.priority;
      before += counts ? jobs_of_it.size() : 0;
    }
  }
  bull_list.insert(bull_list.begin() + static_cast<std::ptrdiff_t>(std::min(before, bull_list.size())),
                   job.id);
}

void QueueState::make_waiting(Record& record, ListEnd end) {
  record.job.state = State::kWaiting;
  record.job.delay = Duration{0};
  record.job.due.reset();
  const bool in_front = end == ListEnd::kFront;
  waiting.insert(in_front ? waiting.begin() : waiting.end(), record.job.id);
  bull_list.insert(in_front ? bull_list.begin() : bull_list.end(), record.job.id);
  ++arrivals;
}

void QueueState::delay_until(Record& record, Time due, std::optional<std::uint64_t> low_bits) {
  record.job.state = State::kDelayed;
  record.job.due = due;
  delayed.emplace(std::tuple{due, low_bits ? *low_bits : ++last_delayed, record.job.id}, record.job.id);
}

void QueueState::insert_last(Record& record, State state, bool ties_by_id) {
  record.job.state = state;
  auto& places = state == State::kActive ? active : finished(state);
  auto at = places.end();
  while (ties_by_id && state != State::kActive && at != places.begin()) {
    const Job& before = jobs.at(*std::prev(at)).job;
    if (std::pair(*before.finished_on, before.id) < std::pair(*record.job.finished_on, record.job.id)) break;
    --at;
  }
  places.insert(at, record.job.id);
}

void QueueState::remove_from_set(const Record& record) {
  const JobId& id = record.job.id;
  std::erase(bull_list, id);
  switch (record.job.state) {
    case State::kWaiting: std::erase(waiting, id); break;
    case State::kPrioritized: std::erase(prioritized[record.job.priority], id); break;
    case State::kDelayed:
      std::erase_if(delayed, [&](const auto& entry) { return entry.second == id; });
      break;
    case State::kActive: std::erase(active, id); break;
    case State::kCompleted: std::erase(completed, id); break;
    case State::kFailed: std::erase(failed, id); break;
    case State::kWaitingChildren: break;  // no flows yet
  }
}

void QueueState::erase(const JobId& id) {
  remove_from_set(jobs.at(id));
  jobs.erase(id);
}

std::vector<JobId> QueueState::in_take_order(const Semantics& semantics) const {
  if (semantics.front == Semantics::Front::kOfAll) return {bull_list.begin(), bull_list.end()};
  std::vector<JobId> order;
  const auto append_waiting = [&] { order.insert(order.end(), waiting.begin(), waiting.end()); };
  if (semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll) append_waiting();
  for (const auto& [priority, jobs_of_it] : prioritized)
    order.insert(order.end(), jobs_of_it.begin(), jobs_of_it.end());
  if (semantics.zero_priority == Semantics::ZeroPriority::kAfterAll) append_waiting();
  return order;
}

std::vector<JobId> QueueState::ids_in(State state, const Semantics& semantics) const {
  std::vector<JobId> ids;
  if (state == State::kWaiting || state == State::kPrioritized) {
    ids = in_take_order(semantics);
    std::erase_if(ids, [&](const JobId& id) { return jobs.at(id).job.state != state; });
  } else if (state == State::kDelayed) {
    for (const auto& [due, id] : delayed) ids.push_back(id);
  } else if (state != State::kWaitingChildren) {
    const auto& places = state == State::kActive ? active : state == State::kCompleted ? completed : failed;
    ids.assign(places.begin(), places.end());
  }
  return ids;
}

std::uint64_t QueueState::before(const Record& record, const Semantics& semantics) const {
  const Job& job = record.job;
  if (job.state != State::kWaiting && job.state != State::kPrioritized) return 0;
  const auto place_in = [&](const std::deque<JobId>& places) {
    return static_cast<std::uint64_t>(std::find(places.begin(), places.end(), job.id) - places.begin());
  };
  if (semantics.front == Semantics::Front::kOfAll) return place_in(bull_list);
  const bool zero_first = semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll;
  if (job.state == State::kWaiting) return place_in(waiting) + (zero_first ? 0 : ready() - waiting.size());
  std::uint64_t count = place_in(prioritized.at(job.priority)) + (zero_first ? waiting.size() : 0);
  for (const auto& [priority, others] : prioritized) count += priority < job.priority ? others.size() : 0;
  return count;
}

std::uint64_t QueueState::ready() const {
  std::uint64_t count = waiting.size();
  for (const auto& [priority, jobs_of_it] : prioritized) count += jobs_of_it.size();
  return count;
}

Counts QueueState::counts() const {
  Counts counts;
  counts[State::kWaiting] = waiting.size();
  counts[State::kPrioritized] = ready() - waiting.size();
  counts[State::kDelayed] = delayed.size();
  counts[State::kActive] = active.size();
  counts[State::kCompleted] = completed.size() + static_cast<std::uint64_t>(count_error);
  counts[State::kFailed] = failed.size();
  counts.paused = paused;
  return counts;
}

}  // namespace gaur::model
