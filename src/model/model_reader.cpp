// Reading, and administration of queues.
#include <fmt/format.h>

#include <algorithm>

#include "model/model_step.hpp"

namespace gaur {

Error ModelStore::not_in_state(const Record& job, std::string_view wanted) {
  return {Errc::kNotInState,
          fmt::format("job {} is {}, not {}", job.job.id.value, to_string(job.job.state), wanted)};
}

Async<Job> ModelStore::get(JobRef ref) {
  return on_job<Job>(ref, [](QueueState&, const Record& job) { return Result<Job>(job.job); });
}

Async<State> ModelStore::state(JobRef ref) {
  return on_job<State>(ref, [](QueueState&, const Record& job) { return Result<State>(job.job.state); });
}

Async<Position> ModelStore::position(JobRef ref) {
  return on_job<Position>(ref, [&](const QueueState& queue, const Record& job) -> Result<Position> {
    if (job.job.state != State::kWaiting && job.job.state != State::kPrioritized)
      return not_in_state(job, "waiting or prioritized");
    return Position{queue.before(job, semantics_), true};
  });
}

Async<std::vector<QueueName>> ModelStore::queues() {
  Step step(*this);
  std::vector<QueueName> names;
  for (const auto& [name, queue] : state_.queues) {
    if (!queue.jobs.empty() || queue.last_event > 0) names.push_back(name);
  }
  return answer<std::vector<QueueName>>(std::move(names));
}

Async<Counts> ModelStore::counts(QueueName name) {
  Step step(*this);
  const auto found = state_.queues.find(name);
  return answer<Counts>(found == state_.queues.end() ? Counts{} : found->second.counts());
}

Async<std::vector<WaitingFunction>> ModelStore::waiting_functions(QueueName name, std::string function_field,
                                                                  std::uint32_t limit) {
  Step step(*this);
  std::map<FunctionName, std::uint64_t> counted;
  const auto found = state_.queues.find(name);
  if (found != state_.queues.end()) {
    for (const JobId& id : found->second.in_take_order(semantics_)) {
      const Job& job = found->second.jobs.at(id).job;
      ++counted[function_of(job.name, job.data, function_field)];
    }
  }
  std::vector<WaitingFunction> answers;
  for (const auto& [function, jobs] : counted) {
    if (answers.size() < limit) answers.push_back({function, jobs, true});
  }
  return answer<std::vector<WaitingFunction>>(std::move(answers));
}

Async<std::vector<Job>> ModelStore::range(RangeRequest request) {
  Step step(*this);
  const QueueState& queue = state_.queues[request.queue];
  auto ids = queue.ids_in(request.state, semantics_);
  if (request.newest_first) std::reverse(ids.begin(), ids.end());
  std::vector<Job> page;
  const std::size_t limit = std::min<std::size_t>(request.limit, 1000);
  for (std::size_t i = request.offset; i < ids.size() && page.size() < limit; ++i)
    page.push_back(queue.jobs.at(ids[i]).job);
  return answer<std::vector<Job>>(std::move(page));
}

Async<LogPage> ModelStore::logs(JobRef ref, std::uint64_t offset, std::uint32_t limit) {
  return on_job<LogPage>(ref, [&](QueueState&, const Record& job) -> Result<LogPage> {
    LogPage page;
    page.total = job.logs.size();
    for (std::size_t i = offset; i < job.logs.size() && page.lines.size() < limit; ++i)
      page.lines.push_back(job.logs[i]);
    return page;
  });
}

// ---- administration --------------------------------------------------------------------------

Async<Unit> ModelStore::pause(QueueName name) {
  Step step(*this);
  if (Status valid = validate_queue_name(name.value); !valid) return answer<Unit>(valid.error());
  QueueState& queue = state_.queues[name];
  if (!std::exchange(queue.paused, true)) record(queue, EventKind::kPaused, JobId());
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::resume(QueueName name) {
  Step step(*this);
  QueueState& queue = state_.queues[name];
  if (std::exchange(queue.paused, false)) {
    record(queue, EventKind::kResumed, JobId());
    ++queue.arrivals;  // the ready jobs can be taken again
    serve_long_polls();
  }
  return answer<Unit>(Unit{});
}

Async<std::uint64_t> ModelStore::drain(QueueName name, bool delayed_too) {
  Step step(*this);
  QueueState& queue = state_.queues[name];
  std::uint64_t removed = 0;
  for (const State state : {State::kWaiting, State::kPrioritized, State::kDelayed}) {
    if (state == State::kDelayed && !delayed_too) continue;
    for (const JobId& id : queue.ids_in(state, semantics_)) {
      queue.erase(id);
      ++removed;
    }
  }
  return answer<std::uint64_t>(removed);
}

Async<std::uint64_t> ModelStore::clean(QueueName name, State state, Duration grace, std::uint64_t limit) {
  Step step(*this);
  if (state != State::kCompleted && state != State::kFailed) {
    return answer<std::uint64_t>(Error{Errc::kInvalidArgument, "clean removes completed or failed jobs"});
  }
  QueueState& queue = state_.queues[name];
  if (queue.last_event == 0) return answer<std::uint64_t>(std::uint64_t{0});  // the queue does not exist
  const auto& finished = queue.finished(state);
  std::uint64_t removed = 0;
  while (!finished.empty() && (limit == 0 || removed < limit) &&
         *queue.find(finished.front())->job.finished_on <= clock_.wall() - grace) {
    queue.erase(JobId(finished.front()));
    ++removed;
  }
  record(queue, EventKind::kCleaned, JobId(), {}, std::to_string(removed));
  return answer<std::uint64_t>(removed);
}

Async<Unit> ModelStore::obliterate(QueueName name, bool force) {
  Step step(*this);
  const QueueState& queue = state_.queues[name];
  if (!force && !queue.active.empty()) {
    return answer<Unit>(
        Error{Errc::kBusy, fmt::format("queue {}: {} jobs are running", name.value, queue.active.size())});
  }
  state_.queues.erase(name);
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::set_global_concurrency(QueueName name, std::optional<std::uint32_t> at_most) {
  Step step(*this);
  state_.queues[name].concurrency = at_most;
  return answer<Unit>(Unit{});
}

Async<Unit> ModelStore::set_rate_limit(QueueName, std::optional<RateLimit>) {
  Step step(*this);
  return answer<Unit>(Error{Errc::kUnsupported, "this store lacks rate limits"});
}

Async<Unit> ModelStore::remove_deduplication(QueueName, std::string) {
  Step step(*this);
  return answer<Unit>(Error{Errc::kUnsupported, "this store lacks deduplication"});
}

}  // namespace gaur
