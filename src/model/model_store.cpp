#include "model/model_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.hpp"
#include "base/try.hpp"
#include "core/validation.hpp"
#include "model/model_step.hpp"

namespace gaur {

using model::Mutation;
using model::Place;

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
  for (auto& parked : parked_) {
    for (auto& waiter : parked.waiters) deliver<TakeReply>(waiter, stopping);
  }
  for (auto& waiting : waiting_) deliver<WorkReply>(waiting.promise, stopping);
  for (auto& following : following_) deliver<EventPage>(following.promise, stopping);
  parked_.clear();
  waiting_.clear();
  following_.clear();
  reported_.clear();
  if (mutation_ == Mutation::kAckBeforeSync) {
    for (const JobRef& lost : last_added_) {
      if (find(lost)) world_.queues[lost.queue].erase(lost.id);
    }
  }
  for (auto& entry : world_.queues) {
    auto& queue = entry.second;
    const auto active = queue.active;
    std::vector<JobId> back(active.rbegin(), active.rend());  // newest first: the oldest ends up in front
    if (semantics_.expired_locks_are_forgotten) {
      std::erase_if(back, [&](const JobId& id) { return queue.find(id)->lock_until <= clock_.now(); });
      // Each lane reclaims for itself.
      std::stable_sort(back.begin(), back.end(), [&](const JobId& a, const JobId& b) {
        return queue.find(a)->job.processed_by < queue.find(b)->job.processed_by;
      });
    }
    for (const JobId& id : back) {
      model::Record& job = *queue.find(id);
      queue.lift(job);
      to_ready(queue, job, State::kActive, Place::kInFront);
    }
  }
}

void ModelStore::tick() {
  Step step(*this);
}

std::optional<std::uint64_t> ModelStore::low_bits(std::uint64_t number) const {
  return semantics_.ties_by_id ? std::optional(number % 4096) : std::nullopt;
}

/// What an id counts for where a failed attempt is delayed: own ids are no numbers.
std::optional<std::uint64_t> ModelStore::low_bits(const JobId& id) const {
  std::uint64_t number = 0;
  const char* const end = id.value.data() + id.value.size();
  const auto [at, problem] = std::from_chars(id.value.data(), end, number);
  return low_bits(problem == std::errc() && at == end ? number : 0);
}

Result<ModelStore::Record*> ModelStore::find(const JobRef& job) {
  const auto queue = world_.queues.find(job.queue);
  Record* found = queue == world_.queues.end() ? nullptr : queue->second.find(job.id);
  if (found == nullptr)
    return Error{Errc::kNotFound, fmt::format("queue {} has no job {}", job.queue.value, job.id.value)};
  return found;
}

void ModelStore::record(QueueState& queue, EventKind kind, const JobId& id, std::optional<State> previous,
                        std::string detail) {
  queue.log.push_back(
      {std::to_string(++queue.last_event), kind, id, previous, std::move(detail), clock_.wall()});
  if (queue.log.size() > 10'000) queue.log.pop_front();
}

/// From where it was lifted to waiting or prioritized.
void ModelStore::to_ready(QueueState& queue, Record& job, State previous, Place where) {
  if (where == Place::kBehind || previous != State::kActive) job.ready_since = clock_.wall();
  job.token = {};
  job.cancel.reset();
  queue.make_ready(job, where);
  record(queue, EventKind::kWaiting, job.job.id, previous);
}

// ---- adding ----------------------------------------------------------------------------------

Async<std::vector<Added>> ModelStore::add(AddRequest request) {
  Step step(*this);
  return answer(add_all(request));
}

Result<std::vector<Added>> ModelStore::add_all(const AddRequest& request) {
  GAUR_TRY(const std::optional<std::vector<Added>> first, earlier_reply<std::vector<Added>>(request.op));
  if (first) return *first;
  GAUR_CHECK(validate_add(request, "this store", capabilities()));
  QueueState& queue = world_.queues[request.queue];
  if (request.max_waiting > 0) {
    std::set<JobId> own;
    std::uint64_t more = 0;
    for (const NewJob& job : request.jobs) {
      const auto& id = job.options.id;
      if (!id || (queue.find(*id) == nullptr && own.insert(*id).second)) ++more;
    }
    const std::uint64_t now = queue.ready() + queue.delayed.size();
    if (more > 0 && now + more > request.max_waiting) {
      return Error{Errc::kQueueFull, fmt::format("queue {}: {} jobs wait, at most {} may",
                                                 request.queue.value, now, request.max_waiting)};
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
  if (mutation_ != Mutation::kLostWakeUp) serve_parked();
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
    if (const Record* present = queue.find(*job.options.id)) {
      record(queue, EventKind::kDuplicated, present->job.id);
      return {present->job.id, present->job.state, true, queue.before(*present, semantics_)};
    }
  }
  const JobId id = job.options.id ? *job.options.id : JobId(std::to_string(number));
  Record& made = queue.jobs[id];
  made.job.queue = name;
  made.job.id = id;
  made.job.name = job.name;
  made.job.data = job.data;
  made.job.options = job.options;
  made.job.timestamp = job.options.timestamp.value_or(clock_.wall());
  made.job.priority = job.options.priority;
  made.ready_since = clock_.wall();
  record(queue, EventKind::kAdded, id, {}, job.name);
  if (job.options.delay > Duration{0}) {
    const Time from = semantics_.delay_counts_from_timestamp ? made.job.timestamp : clock_.wall();
    queue.delay_until(made, from + job.options.delay, low_bits(number));
    made.job.delay = job.options.delay;
    record(queue, EventKind::kDelayed, id, {}, std::to_string(to_ms(*made.job.due)));
  } else {
    queue.make_ready(made, job.options.lifo && job.options.priority == 0 ? Place::kInFront : Place::kBehind);
    record(queue, EventKind::kWaiting, id);
  }
  return {id, made.job.state, false, queue.before(made, semantics_)};
}

// ---- moving ----------------------------------------------------------------------------------

Async<QueueHint> ModelStore::wake_delayed(QueueName name) {
  Step step(*this);
  const auto found = world_.queues.find(name);
  if (found == world_.queues.end()) return answer<QueueHint>(QueueHint{});
  QueueState& queue = found->second;
  for (int woken = 0; woken < 1000 && !queue.delayed.empty(); ++woken) {
    const auto [due, id] = *queue.delayed.begin();
    if (std::get<Time>(due) > clock_.wall()) break;
    queue.delayed.erase(queue.delayed.begin());
    to_ready(queue, *queue.find(id), State::kDelayed, Place::kBehind);
  }
  serve_parked();
  return answer<QueueHint>(next_of(queue, 0));
}

Async<CancelReply> ModelStore::cancel(JobRef ref, std::string who, std::string why) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<CancelReply>(found.error());
  Record& job = **found;
  QueueState& queue = world_.queues[ref.queue];
  const State state = job.job.state;
  if (state == State::kCompleted || state == State::kFailed)
    return answer<CancelReply>(CancelReply::kFinished);
  if (state == State::kActive) {
    if (!job.cancel) {
      job.cancel = model::CancelMark{who, why};
      if (semantics_.expired_locks_are_forgotten) job.cancel->heard = clock_.now() < job.lock_until;
      record(queue, EventKind::kCancelRequested, ref.id, {}, who);
    }
    return answer<CancelReply>(CancelReply::kRequested);
  }
  queue.lift(job);
  job.job.failure = Failure{"cancelled", fmt::format("cancelled by {}: {}", who, why), "", ""};
  end_wait(queue, job, state);
  return answer<CancelReply>(CancelReply::kRemoved);
}

/// A job that was lifted from a waiting place fails without having been run, and is kept.
void ModelStore::end_wait(QueueState& queue, Record& job, State previous) {
  job.job.due.reset();
  job.job.delay = Duration{0};
  job.job.finished_on = clock_.wall();
  queue.put(job, State::kFailed, semantics_.ties_by_id);
  record(queue, EventKind::kFailed, job.job.id, previous, job.job.failure->message);
}

Async<Unit> ModelStore::retry(JobRef ref, bool reset_attempts) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  Record& job = **found;
  const State state = job.job.state;
  if (state != State::kCompleted && state != State::kFailed)
    return answer<Unit>(not_in_state(job, "completed or failed"));
  QueueState& queue = world_.queues[ref.queue];
  queue.lift(job);
  job.job.result.clear();
  job.job.result_file.reset();
  job.job.failure.reset();
  job.job.processed_on.reset();
  job.job.finished_on.reset();
  if (reset_attempts) job.job.attempts_made = 0;
  if (semantics_.retry_by_hand_keeps_priority) {
    to_ready(queue, job, state,
             job.job.options.lifo && job.job.priority == 0 ? Place::kInFront : Place::kBehind);
  } else {
    job.ready_since = clock_.wall();
    queue.make_waiting(job, job.job.options.lifo ? Place::kInFront : Place::kBehind);
    record(queue, EventKind::kWaiting, ref.id, state);
  }
  serve_parked();
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::promote(JobRef ref) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  Record& job = **found;
  if (job.job.state != State::kDelayed) return answer<Unit>(not_in_state(job, "delayed"));
  QueueState& queue = world_.queues[ref.queue];
  if (mutation_ != Mutation::kDoublePromote) queue.lift(job);
  to_ready(queue, job, State::kDelayed, Place::kBehind);
  serve_parked();
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::remove(JobRef ref) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  const Record& job = **found;
  const State state = job.job.state;
  if (state == State::kActive && clock_.now() < job.lock_until) {
    return answer<Unit>(
        Error{Errc::kBusy, fmt::format("job {} is running on {}", ref.id.value, job.job.processed_by)});
  }
  QueueState& queue = world_.queues[ref.queue];
  queue.erase(ref.id);
  record(queue, EventKind::kRemoved, ref.id, state);
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::change_delay(JobRef ref, Duration delay) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  Record& job = **found;
  if (job.job.state != State::kDelayed) return answer<Unit>(not_in_state(job, "delayed"));
  QueueState& queue = world_.queues[ref.queue];
  const std::uint64_t bits = std::get<std::uint64_t>(
      std::find_if(queue.delayed.begin(), queue.delayed.end(), [&](const auto& entry) {
        return entry.second == ref.id;
      })->first);
  queue.lift(job);
  queue.delay_until(job, clock_.wall() + delay, low_bits(bits));
  job.job.delay = delay;
  record(queue, EventKind::kDelayed, ref.id, State::kDelayed, std::to_string(to_ms(*job.job.due)));
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::change_priority(JobRef ref, std::uint32_t priority, bool lifo) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  Record& job = **found;
  const State state = job.job.state;
  if (state != State::kWaiting && state != State::kPrioritized && state != State::kDelayed) {
    return answer<Unit>(not_in_state(job, "waiting, prioritized or delayed"));
  }
  QueueState& queue = world_.queues[ref.queue];
  if (state != State::kDelayed) queue.lift(job);
  job.job.priority = priority;
  if (state != State::kDelayed) queue.make_ready(job, lifo ? Place::kInFront : Place::kBehind);
  serve_parked();
  return answer<Unit>(Unit{});
}

// ---- data, progress, logs --------------------------------------------------------------------

Async<Unit> ModelStore::update_data(JobRef ref, std::string data) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  if (const auto problems = problems_of_job("job", data, {}); !problems.empty()) {
    return answer<Unit>(Error{Errc::kInvalidArgument, problems.front()});
  }
  (*found)->job.data = std::move(data);
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::update_progress(JobRef ref, std::optional<LockToken> token, std::string progress) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<Unit>(found.error());
  if (const auto parsed = json::parse(progress); !parsed) return answer<Unit>(parsed.error().in("progress"));
  if (token) {
    if (Status held = check_lock(**found, *token); !held) return answer<Unit>(held.error());
  }
  (*found)->job.progress = progress;
  record(world_.queues[ref.queue], EventKind::kProgress, ref.id, {}, std::move(progress));
  return answer<Unit>(Unit{});
}

Async<std::uint64_t> ModelStore::append_logs(JobRef ref, std::vector<std::string> lines) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<std::uint64_t>(found.error());
  auto& logs = (*found)->logs;
  logs.insert(logs.end(), lines.begin(), lines.end());
  const std::size_t keep = (*found)->job.options.keep_logs;
  if (logs.size() > keep) logs.erase(logs.begin(), logs.end() - static_cast<std::ptrdiff_t>(keep));
  return answer<std::uint64_t>(logs.size());
}

}  // namespace gaur
