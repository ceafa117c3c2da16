// Verbs on one job.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/try.hpp"
#include "model/model_step.hpp"

namespace gaur {

using model::ListEnd;
using model::Mutation;

Async<CancelReply> ModelStore::cancel(JobRef ref, std::string who, std::string why) {
  return on_job<CancelReply>(ref, [&](QueueState& queue, Record& job) -> Result<CancelReply> {
    const State state = job.job.state;
    if (state == State::kCompleted || state == State::kFailed) return CancelReply::kFinished;
    if (state == State::kActive) {
      if (!job.cancel) {
        job.cancel = model::PendingCancel{who, why};
        if (semantics_.expired_locks_are_forgotten) job.cancel->has_owner = clock_.now() < job.lock_until;
        record(queue, EventKind::kCancelRequested, ref.id, {}, who);
      }
      return CancelReply::kRequested;
    }
    queue.remove_from_set(job);
    job.job.failure = Failure{"cancelled", fmt::format("cancelled by {}: {}", who, why), "", ""};
    fail_waiting(queue, job, state);
    return CancelReply::kRemoved;
  });
}

/// Fails a job that the caller removed from the ready or delayed jobs. Retention does not apply.
void ModelStore::fail_waiting(QueueState& queue, Record& job, State previous) {
  job.job.due.reset();
  job.job.delay = Duration{0};
  job.job.finished_on = clock_.wall();
  queue.insert_last(job, State::kFailed, semantics_.ties_by_id);
  record(queue, EventKind::kFailed, job.job.id, previous, job.job.failure->message);
}

Async<Unit> ModelStore::retry(JobRef ref, bool reset_attempts) {
  return on_job<Unit>(ref, [&](QueueState& queue, Record& job) -> Status {
    const State state = job.job.state;
    if (state != State::kCompleted && state != State::kFailed)
      return not_in_state(job, "completed or failed");
    queue.remove_from_set(job);
    job.job.result.clear();
    job.job.result_file.reset();
    job.job.failure.reset();
    job.job.processed_on.reset();
    job.job.finished_on.reset();
    if (reset_attempts) job.job.attempts_made = 0;
    if (semantics_.retry_by_hand_keeps_priority) {
      move_to_ready(queue, job, state,
                    job.job.options.lifo && job.job.priority == 0 ? ListEnd::kFront : ListEnd::kBack);
    } else {
      job.ready_since = clock_.wall();
      queue.make_waiting(job, job.job.options.lifo ? ListEnd::kFront : ListEnd::kBack);
      record(queue, EventKind::kWaiting, ref.id, state);
    }
    serve_long_polls();
    return ok();
  });
}

Async<Unit> ModelStore::promote(JobRef ref) {
  return on_job<Unit>(ref, [&](QueueState& queue, Record& job) -> Status {
    if (job.job.state != State::kDelayed) return not_in_state(job, "delayed");
    if (mutation_ != Mutation::kDoublePromote) queue.remove_from_set(job);
    move_to_ready(queue, job, State::kDelayed, ListEnd::kBack);
    serve_long_polls();
    return ok();
  });
}

Async<Unit> ModelStore::remove(JobRef ref) {
  return on_job<Unit>(ref, [&](QueueState& queue, const Record& job) -> Status {
    const State state = job.job.state;
    if (state == State::kActive && clock_.now() < job.lock_until) {
      return Error{Errc::kBusy, fmt::format("job {} is running on {}", ref.id.value, job.job.processed_by)};
    }
    queue.erase(ref.id);
    record(queue, EventKind::kRemoved, ref.id, state);
    return ok();
  });
}

Async<Unit> ModelStore::change_delay(JobRef ref, Duration delay) {
  return on_job<Unit>(ref, [&](QueueState& queue, Record& job) -> Status {
    if (job.job.state != State::kDelayed) return not_in_state(job, "delayed");
    const auto entry = std::find_if(queue.delayed.begin(), queue.delayed.end(),
                                    [&](const auto& one) { return one.second == ref.id; });
    const auto bits = std::get<std::uint64_t>(entry->first);
    queue.remove_from_set(job);
    queue.delay_until(job, clock_.wall() + delay, low_bits(bits));
    job.job.delay = delay;
    record(queue, EventKind::kDelayed, ref.id, State::kDelayed, std::to_string(to_ms(*job.job.due)));
    return ok();
  });
}

Async<Unit> ModelStore::change_priority(JobRef ref, std::uint32_t priority, bool lifo) {
  return on_job<Unit>(ref, [&](QueueState& queue, Record& job) -> Status {
    const State state = job.job.state;
    if (state != State::kWaiting && state != State::kPrioritized && state != State::kDelayed)
      return not_in_state(job, "waiting, prioritized or delayed");
    if (state != State::kDelayed) queue.remove_from_set(job);
    job.job.priority = priority;
    if (state != State::kDelayed) queue.make_ready(job, lifo ? ListEnd::kFront : ListEnd::kBack);
    serve_long_polls();
    return ok();
  });
}

Async<Unit> ModelStore::update_data(JobRef ref, std::string data) {
  return on_job<Unit>(ref, [&](QueueState&, Record& job) -> Status {
    if (const auto problems = problems_of_job("job", data, {}); !problems.empty())
      return Error{Errc::kInvalidArgument, problems.front()};
    job.job.data = std::move(data);
    return ok();
  });
}

Async<Unit> ModelStore::update_progress(JobRef ref, std::optional<LockToken> token, std::string progress) {
  return on_job<Unit>(ref, [&](QueueState& queue, Record& job) -> Status {
    if (const auto parsed = json::parse(progress); !parsed) return parsed.error().in("progress");
    if (token) GAUR_CHECK(check_lock(job, *token));
    job.job.progress = progress;
    record(queue, EventKind::kProgress, ref.id, {}, std::move(progress));
    return ok();
  });
}

Async<std::uint64_t> ModelStore::append_logs(JobRef ref, std::vector<std::string> lines) {
  return on_job<std::uint64_t>(ref, [&](QueueState&, Record& job) -> Result<std::uint64_t> {
    auto& logs = job.logs;
    logs.insert(logs.end(), lines.begin(), lines.end());
    const std::size_t keep = job.job.options.keep_logs;
    if (logs.size() > keep) logs.erase(logs.begin(), logs.end() - static_cast<std::ptrdiff_t>(keep));
    return std::uint64_t{logs.size()};
  });
}

}  // namespace gaur
