// Locks of active jobs: checks, renewal, cancel requests, recovery of stalled jobs.
#include <fmt/format.h>

#include "embedded/engine.hpp"

namespace gaur::embedded {

Status Engine::check_lock(const JobId& id, JobKey job, const JobState& state, const LockToken& token) {
  const auto missing = [&](std::string_view why) {
    return Error{Errc::kLockMissing, fmt::format("job {}: {}", id.value, why)};
  };
  if (state.state != State::kActive)
    return missing(fmt::format("it is {}, not active", to_string(state.state)));
  const Lock* lock = locks_.find(job);
  if (lock == nullptr) return missing("it has no lock");
  if (lock->token != token) {
    return Error{Errc::kLockMismatch,
                 fmt::format("job {} is held by a newer run on {}", id.value, lock->worker)};
  }
  if (now_.steady >= lock->until) return missing("its lock expired");
  return ok();
}

/// The cancels of the worker's runs. With `once`, only those that were not returned with it before.
std::vector<CancelRequest> Engine::cancels_for(const QueueEntry& queue, const std::string& worker,
                                               bool once) {
  std::vector<CancelRequest> cancels;
  if (!locks_.any_cancels()) return cancels;
  std::vector<JobKey> reported;
  locks_.for_each([&](JobKey job, const Lock& lock) {
    if (job.queue != queue.record.number || !lock.cancel || lock.worker != worker) return;
    if (once && lock.cancel->reported) return;
    if (once) reported.push_back(job);
    cancels.push_back({queue.name, id_of(job), lock.token, lock.cancel->who, lock.cancel->why});
  });
  for (const JobKey job : reported) locks_.mark_reported(job);
  return cancels;
}

ExtendReply Engine::extend_locks(const ExtendRequest& request) {
  ExtendReply reply;
  QueueEntry* const queue = find_queue(request.queue);
  for (const HeldLock& held : request.held) {
    const auto key = queue == nullptr ? Result<JobKey>(not_found(held.id))
                                      : find_job(*txn_, queue->record.number, held.id);
    const auto state = key ? load_state(*txn_, *key) : Result<JobState>(key.error());
    Status lock = state ? check_lock(held.id, *key, *state, held.token)
                        : Status(Error{Errc::kLockMissing, fmt::format("job {} was removed", held.id.value)});
    if (lock && request.renew) locks_.renew(*key, now_.steady + request.lock);
    reply.locks.push_back(std::move(lock));
  }
  if (queue != nullptr) reply.cancels = cancels_for(*queue, request.worker);
  return reply;
}

/// Stalls an active job whose run is lost. If it fails, the failure keeps its last error.
Result<FinishResult> Engine::stall_unlocked(QueueEntry& queue, JobKey key, JobState& state,
                                            std::uint32_t max_stalled, const Retention& keep) {
  std::optional<Failure> last;
  if (state.has(JobState::kHasFailure)) {
    if (auto stored = load_failure(*txn_, key)) last = std::move(stored->failure);
  }
  return stall(queue, key, state, max_stalled, stalled_too_often(last), keep);
}

/// Requeues newest first, so that the oldest start ends up at the front.
Result<Recovered> Engine::recover(const RecoverRequest& request) {
  Recovered recovered;
  QueueEntry* const queue = find_queue(request.queue);
  if (queue == nullptr || queue->count(State::kActive) == 0) return recovered;
  std::vector<JobKey> unlocked;
  for (PrefixScan scan(*txn_, Table::kActive, Key().u32(queue->record.number).view(),
                       PrefixScan::Order::kBackward);
       !scan.done(); scan.next()) {
    const auto number = decode_job_number(scan.value());
    if (!number) return damaged("the list of active jobs", scan.key());
    const JobKey key{queue->record.number, *number};
    const Lock* lock = locks_.find(key);
    if (lock == nullptr || now_.steady >= lock->until) unlocked.push_back(key);
  }
  for (const JobKey key : unlocked) {
    auto state = load_state(*txn_, key);
    if (!state) continue;  // damaged: get() reports it
    touch(*queue);
    const JobId id = id_of(key);
    const auto result = stall_unlocked(*queue, key, *state, request.max_stalled, request.keep_failed);
    if (result) (result->state == State::kFailed ? recovered.failed : recovered.requeued).push_back(id);
  }
  notify_ready();
  return recovered;
}

}  // namespace gaur::embedded
