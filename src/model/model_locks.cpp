// Locks of active jobs: checks, renewal, cancel requests, recovery of stalled jobs.
#include <fmt/format.h>

#include "model/model_step.hpp"

namespace gaur {

using model::Mutation;

Status ModelStore::check_lock(Record& job, const LockToken& token) const {
  const auto missing = [&](std::string_view why) {
    return Error{Errc::kLockMissing, fmt::format("job {}: {}", job.job.id.value, why)};
  };
  if (job.job.state != State::kActive)
    return missing(fmt::format("it is {}, not active", to_string(job.job.state)));
  if (mutation_ == Mutation::kNoTokenCheck) return ok();
  if (semantics_.expired_locks_are_forgotten && clock_.now() >= job.lock_until)
    return missing("its lock expired");
  if (job.token != token) {
    return Error{Errc::kLockMismatch,
                 fmt::format("job {} is held by a newer run on {}", job.job.id.value, job.job.processed_by)};
  }
  if (clock_.now() >= job.lock_until) return missing("its lock expired");
  return ok();
}

std::vector<CancelRequest> ModelStore::cancels_for(const QueueState& queue, const QueueName& name,
                                                   const std::string& worker) const {
  std::vector<CancelRequest> cancels;
  for (const JobId& id : queue.active) {
    const Record& job = queue.jobs.at(id);
    if (job.cancel && job.cancel->has_owner && job.job.processed_by == worker)
      cancels.push_back({name, id, job.token, job.cancel->who, job.cancel->why});
  }
  return cancels;
}

Async<ExtendReply> ModelStore::extend_locks(ExtendRequest request) {
  Step step(*this);
  QueueState& queue = state_.queues[request.queue];
  ExtendReply reply;
  for (const HeldLock& held : request.held) {
    Record* job = queue.find(held.id);
    Status lock = job == nullptr ? Error{Errc::kLockMissing, "job " + held.id.value + " was removed"}
                                 : check_lock(*job, held.token);
    if (lock && request.renew) job->lock_until = clock_.now() + request.lock;
    reply.locks.push_back(std::move(lock));
  }
  reply.cancels = cancels_for(queue, request.queue, request.worker);
  return answer<ExtendReply>(std::move(reply));
}

Async<Recovered> ModelStore::recover(RecoverRequest request) {
  Step step(*this);
  QueueState& queue = state_.queues[request.queue];
  Recovered recovered;
  const auto active = queue.active;
  // Requeues newest first, so that the oldest start ends up at the front.
  for (auto id = active.rbegin(); id != active.rend(); ++id) {
    Record& job = *queue.find(*id);
    if (clock_.now() < job.lock_until) continue;
    const Failure failure = stalled_too_often(job.job.failure);
    const FinishResult result = stall(queue, job, request.max_stalled, failure, request.keep_failed);
    (result.state == State::kFailed ? recovered.failed : recovered.requeued).push_back(*id);
  }
  serve_long_polls();
  return answer<Recovered>(std::move(recovered));
}

}  // namespace gaur
