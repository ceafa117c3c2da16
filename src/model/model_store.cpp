#include "model/model_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/try.hpp"
#include "core/validation.hpp"
#include "model/model_step.hpp"

namespace gaur {

using model::ListEnd;
using model::Mutation;

ModelStore::ModelStore(const Clock& clock, Executor& completions, Semantics semantics, Mutation mutation)
    : clock_(clock),
      executor_(completions),
      semantics_(semantics),
      mutation_(mutation),
      alive_(std::make_shared<std::atomic<ModelStore*>>(this)) {}

ModelStore::ModelStore(const Clock& clock, Loop& completions, Semantics semantics, Mutation mutation)
    : ModelStore(clock, static_cast<Executor&>(completions), semantics, mutation) {
  loop_ = &completions;
}

ModelStore::~ModelStore() {
  *alive_ = nullptr;
}

Capabilities ModelStore::capabilities() const {
  return {Capability::kHandOff,        Capability::kUsage,       Capability::kChangeDelay,
          Capability::kChangePriority, Capability::kFailureCode, Capability::kEventLog,
          Capability::kProcessedBy,    Capability::kEveryOption, Capability::kGlobalConcurrency};
}

void ModelStore::crash_and_reopen() {
  Step step(*this);
  const Error stopping{Errc::kStopping, "the store was closed"};
  for (auto& poll : long_polls_) {
    for (auto& caller : poll.callers) deliver<TakeReply>(caller, stopping);
  }
  for (auto& wait : work_waits_) deliver<WorkReply>(wait.promise, stopping);
  for (auto& wait : event_waits_) deliver<EventPage>(wait.promise, stopping);
  long_polls_.clear();
  work_waits_.clear();
  event_waits_.clear();
  reported_.clear();
  if (mutation_ == Mutation::kAckBeforeSync) {
    for (const JobRef& lost : last_added_) {
      if (find(lost)) state_.queues[lost.queue].erase(lost.id);
    }
  }
  for (auto& entry : state_.queues) {
    auto& queue = entry.second;
    const auto active = queue.active;
    // Requeues newest first, so that the oldest start ends up at the front.
    std::vector<JobId> requeued(active.rbegin(), active.rend());
    if (semantics_.expired_locks_are_forgotten) {
      std::erase_if(requeued, [&](const JobId& id) { return queue.find(id)->lock_until <= clock_.now(); });
      // Each worker reclaims its own jobs.
      std::stable_sort(requeued.begin(), requeued.end(), [&](const JobId& a, const JobId& b) {
        return queue.find(a)->job.processed_by < queue.find(b)->job.processed_by;
      });
    }
    for (const JobId& id : requeued) {
      model::Record& job = *queue.find(id);
      queue.remove_from_set(job);
      move_to_ready(queue, job, State::kActive, ListEnd::kFront);
    }
  }
}

void ModelStore::tick() {
  Step step(*this);
}

std::optional<std::uint64_t> ModelStore::low_bits(std::uint64_t number) const {
  return semantics_.ties_by_id ? std::optional(number % 4096) : std::nullopt;
}

/// The low bits for a delayed retry. Custom ids are not numbers and count as 0.
std::optional<std::uint64_t> ModelStore::low_bits(const JobId& id) const {
  std::uint64_t number = 0;
  const char* const end = id.value.data() + id.value.size();
  const auto [at, problem] = std::from_chars(id.value.data(), end, number);
  return low_bits(problem == std::errc() && at == end ? number : 0);
}

Result<ModelStore::Record*> ModelStore::find(const JobRef& job) {
  const auto queue = state_.queues.find(job.queue);
  Record* found = queue == state_.queues.end() ? nullptr : queue->second.find(job.id);
  if (found == nullptr)
    return Error{Errc::kNotFound, fmt::format("queue {}: there is no job {}", job.queue.value, job.id.value)};
  return found;
}

void ModelStore::record(QueueState& queue, EventKind kind, const JobId& id, std::optional<State> previous,
                        std::string detail) {
  queue.log.push_back(
      {std::to_string(++queue.last_event), kind, id, previous, std::move(detail), clock_.wall()});
  if (queue.log.size() > 10'000) queue.log.pop_front();
}

/// Makes a job ready that the caller removed from its set.
void ModelStore::move_to_ready(QueueState& queue, Record& job, State previous, ListEnd end) {
  if (end == ListEnd::kBack || previous != State::kActive) job.ready_since = clock_.wall();
  job.token = {};
  job.cancel.reset();
  queue.make_ready(job, end);
  record(queue, EventKind::kWaiting, job.job.id, previous);
}

// ---- adding ----------------------------------------------------------------------------------

Async<std::vector<Added>> ModelStore::add(AddRequest request) {
  Step step(*this);
  return answer(add_all(request));
}

Result<std::vector<Added>> ModelStore::add_all(const AddRequest& request) {
  GAUR_TRY(const std::optional<std::vector<Added>> remembered,
           remembered_reply<std::vector<Added>>(request.op));
  if (remembered) return *remembered;
  GAUR_CHECK(validate_add(request, "this store", capabilities()));
  QueueState& queue = state_.queues[request.queue];
  if (request.max_waiting > 0) {
    std::set<JobId> custom;
    std::uint64_t more = 0;
    for (const NewJob& job : request.jobs) {
      const auto& id = job.options.id;
      if (!id || (queue.find(*id) == nullptr && custom.insert(*id).second)) ++more;
    }
    const std::uint64_t waiting = queue.ready() + queue.delayed.size();
    if (more > 0 && waiting + more > request.max_waiting) {
      return Error{Errc::kQueueFull, fmt::format("queue {}: {} jobs wait, the limit is {}",
                                                 request.queue.value, waiting, request.max_waiting)};
    }
  }
  std::vector<Added> added;
  std::uint64_t number = queue.last_id;
  if (semantics_.every_add_is_numbered) queue.last_id += request.jobs.size();
  for (const NewJob& job : request.jobs) {
    if (semantics_.every_add_is_numbered) {
      ++number;
    } else if (!job.options.id) {
      number = ++queue.last_id;
    }
    added.push_back(add_one(queue, request.queue, job, number));
  }
  if (mutation_ != Mutation::kLostWakeUp) serve_long_polls();
  for (Added& one : added) {
    const Record& now = *queue.find(one.id);
    one.state = now.job.state;
    if (one.state == State::kActive) one.position = 0;
  }
  if (mutation_ == Mutation::kAckBeforeSync) {
    last_added_.clear();
    for (const Added& one : added) {
      if (!one.duplicate) last_added_.push_back({request.queue, one.id});
    }
  }
  remember(request.op, added);
  return added;
}

Added ModelStore::add_one(QueueState& queue, const QueueName& name, const NewJob& job, std::uint64_t number) {
  if (job.options.id) {
    if (const Record* existing = queue.find(*job.options.id)) {
      record(queue, EventKind::kDuplicated, existing->job.id);
      return {existing->job.id, existing->job.state, true, queue.before(*existing, semantics_)};
    }
  }
  const JobId id = job.options.id ? *job.options.id : JobId(std::to_string(number));
  Record& added = queue.jobs[id];
  added.job.queue = name;
  added.job.id = id;
  added.job.name = job.name;
  added.job.data = job.data;
  added.job.options = job.options;
  added.job.timestamp = job.options.timestamp.value_or(clock_.wall());
  added.job.priority = job.options.priority;
  added.ready_since = clock_.wall();
  record(queue, EventKind::kAdded, id, {}, job.name);
  if (job.options.delay > Duration{0}) {
    const Time from = semantics_.delay_counts_from_timestamp ? added.job.timestamp : clock_.wall();
    queue.delay_until(added, from + job.options.delay, low_bits(number));
    added.job.delay = job.options.delay;
    record(queue, EventKind::kDelayed, id, {}, std::to_string(to_ms(*added.job.due)));
  } else {
    queue.make_ready(added, job.options.lifo && job.options.priority == 0 ? ListEnd::kFront : ListEnd::kBack);
    record(queue, EventKind::kWaiting, id);
  }
  return {id, added.job.state, false, queue.before(added, semantics_)};
}

// ---- waking ----------------------------------------------------------------------------------

Async<QueueHint> ModelStore::wake_delayed(QueueName name) {
  Step step(*this);
  const auto found = state_.queues.find(name);
  if (found == state_.queues.end()) return answer<QueueHint>(QueueHint{});
  QueueState& queue = found->second;
  for (int woken = 0; woken < 1000 && !queue.delayed.empty(); ++woken) {
    const auto [due, id] = *queue.delayed.begin();
    if (std::get<Time>(due) > clock_.wall()) break;
    queue.delayed.erase(queue.delayed.begin());
    move_to_ready(queue, *queue.find(id), State::kDelayed, ListEnd::kBack);
  }
  serve_long_polls();
  return answer<QueueHint>(hint_for(queue, 0));
}

}  // namespace gaur
