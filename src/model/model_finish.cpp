// The outcomes of runs.
#include <fmt/format.h>

#include "base/overloaded.hpp"
#include "core/result_json.hpp"
#include "model/model_step.hpp"

namespace gaur {

using model::ListEnd;
using model::Mutation;

Result<FinishResult> ModelStore::finish(QueueState& queue, const Finish& finish) {
  Record* job = queue.find(finish.id);
  if (job == nullptr) return Error{Errc::kNotFound, "there is no job " + finish.id.value};
  if (Status locked = check_lock(*job, finish.token); !locked) {
    if (mutation_ == Mutation::kLockReleasedOnReject) job->lock_until = Instant{};
    return locked.error();
  }
  if (finish.usage) job->job.usage = finish.usage;
  return apply_outcome(queue, *job, finish);
}

Result<FinishResult> ModelStore::apply_outcome(QueueState& queue, Record& stored, const Finish& finish) {
  Job& job = stored.job;
  const auto keep_failure = [&](const Failure& failure) {
    job.failure = failure;
    if (failure.stack.empty()) return;
    job.stacktrace.push_back(failure.stack);
    if (job.stacktrace.size() > job.options.stack_trace_limit) job.stacktrace.erase(job.stacktrace.begin());
  };
  return std::visit(Overloaded{
                        [&](const outcome::Completed& done) -> Result<FinishResult> {
                          job.result = done.result;
                          job.result_file = done.file;
                          ++job.attempts_made;
                          return finish_run(queue, stored, State::kCompleted, finish.keep, result_json(job));
                        },
                        [&](const outcome::Failed& failed) -> Result<FinishResult> {
                          keep_failure(failed.failure);
                          ++job.attempts_made;
                          const auto attempts = job.attempts_made;
                          FinishResult result =
                              finish_run(queue, stored, State::kFailed, finish.keep, failed.failure.message);
                          if (failed.exhausted)
                            record(queue, EventKind::kRetriesExhausted, finish.id, {},
                                   std::to_string(attempts));
                          return result;
                        },
                        [&](const outcome::RetryAfter& again) -> Result<FinishResult> {
                          if (again.counted) {
                            ++job.attempts_made;
                            keep_failure(again.failure);
                          }
                          return retry_run(queue, stored, again.delay);
                        },
                        [&](const outcome::WaitForChildren&) -> Result<FinishResult> {
                          return Error{Errc::kUnsupported, "this store lacks flows"};
                        },
                        [&](const outcome::Requeue&) -> Result<FinishResult> {
                          queue.remove_from_set(stored);
                          move_to_ready(queue, stored, State::kActive, ListEnd::kFront);
                          return current_result(job);
                        },
                        [&](const outcome::Stalled& stalled) -> Result<FinishResult> {
                          return stall(queue, stored, stalled.max_stalled, stalled.failure, finish.keep);
                        },
                    },
                    finish.outcome);
}

FinishResult ModelStore::current_result(const Job& job) {
  return {job.state, true, job.attempts_made, job.stalled, job.due};
}

FinishResult ModelStore::retry_run(QueueState& queue, Record& job, Duration delay) {
  queue.remove_from_set(job);
  if (delay > Duration{0}) {
    job.token = {};
    job.cancel.reset();
    queue.delay_until(job, clock_.wall() + delay, low_bits(job.job.id));
    if (semantics_.backoff_is_a_delay) job.job.delay = delay;
    record(queue, EventKind::kDelayed, job.job.id, State::kActive, std::to_string(to_ms(*job.job.due)));
  } else {
    const bool front = semantics_.retry_place == Semantics::RetryPlace::kFront ||
                       (job.job.options.lifo && job.job.priority == 0);
    move_to_ready(queue, job, State::kActive, front ? ListEnd::kFront : ListEnd::kBack);
  }
  return current_result(job.job);
}

FinishResult ModelStore::stall(QueueState& queue, Record& job, std::uint32_t max_stalled,
                               const Failure& failure, const Retention& keep) {
  ++job.job.stalled;
  record(queue, EventKind::kStalled, job.job.id);
  const bool over_limit = job.job.stalled > max_stalled;
  if (over_limit && semantics_.stall_limit == Semantics::StallLimit::kFailsInRecovery) {
    job.job.failure = failure;
    return finish_run(queue, job, State::kFailed, keep, failure.message);
  }
  job.fails_at_start = over_limit;
  queue.remove_from_set(job);
  move_to_ready(queue, job, State::kActive, ListEnd::kFront);
  return current_result(job.job);
}

/// Ends an active job as completed or failed, and removes it at once if `keep` says so.
FinishResult ModelStore::finish_run(QueueState& queue, Record& job, State state, const Retention& keep,
                                    std::string detail) {
  const JobId id = job.job.id;
  queue.remove_from_set(job);
  job.token = {};
  job.cancel.reset();
  job.job.finished_on = clock_.wall();
  queue.insert_last(job, state, semantics_.ties_by_id);
  record(queue, state == State::kCompleted ? EventKind::kCompleted : EventKind::kFailed, id, State::kActive,
         std::move(detail));
  FinishResult result = current_result(job.job);
  if (semantics_.retention_of_none_spares_others && keep.count == 0U) {
    queue.erase(id);
  } else {
    retain(queue, state, keep);
  }
  result.kept = queue.find(id) != nullptr;
  return result;
}

void ModelStore::retain(QueueState& queue, State state, const Retention& keep) {
  const auto& finished = queue.finished(state);
  const auto drop_oldest = [&] {
    queue.erase(JobId(finished.front()));
    if (mutation_ == Mutation::kCountDrift && state == State::kCompleted) ++queue.count_error;
  };
  const bool inclusive = semantics_.retention_of_none_spares_others;
  const auto too_old = [&](const Record& job) {
    return keep.age && *job.job.finished_on < clock_.wall() - *keep.age + Duration(inclusive ? 1 : 0);
  };
  while (!finished.empty() && too_old(*queue.find(finished.front()))) drop_oldest();
  while (keep.count && finished.size() > *keep.count) drop_oldest();
}

}  // namespace gaur
