// Lock renewal, requeuing after a restart, recovery of stalled jobs, wake-ups.
#include <fmt/format.h>

#include <algorithm>

#include "core/human_text.hpp"
#include "worker/machine.hpp"

namespace gaur::worker {

// ---- locks -------------------------------------------------------------------------------------

/// Renews all locks of a queue in one call when half of their time to live has passed, also those of ended
/// runs whose finish is not stored yet. Between renewals it checks the locks of running jobs, so that the run
/// of a job that another client moved or removed is stopped.
void Machine::renew() {
  const bool renews = now_.instant >= renew_at_;
  if (!renews && now_.instant < check_at_) return;
  check_at_ = now_.instant + options_.check;
  if (renews) renew_at_ = now_.instant + options_.lock / 2;
  std::map<QueueName, std::vector<HeldLock>> held;
  for (const auto& [token, run] : runs_) {
    if (!run.lost && (renews || !run.ended)) held[run.job.queue].push_back({run.job.id, token});
  }
  for (auto& [queue, locks] : held) {
    QueueState* state = state_of(queue);
    if (state == nullptr) continue;
    if (std::exchange(state->extending, true)) {
      if (renews) renew_at_ = check_at_;  // a check is in flight
      continue;
    }
    act(action::Extend{{queue, std::move(locks), options_.lock, options_.name, renews}});
  }
}

void Machine::on(event::Extended& event) {
  if (QueueState* state = state_of(event.queue)) state->extending = false;
  if (!event.reply) {
    log_store_error("renewing the locks of queue " + event.queue.value, event.reply.error());
    renew_at_ = std::min(renew_at_, now_.instant + std::min(options_.lock / 8, Duration(1'000)));
    return;
  }
  for (std::size_t i = 0; i < event.held.size() && i < event.reply->locks.size(); ++i) {
    const Status& lock = event.reply->locks[i];
    const auto found = runs_.find(event.held[i].token);
    if (lock || found == runs_.end() || found->second.ended || found->second.lost) continue;
    const Errc code = lock.error().code;
    const char* why = code == Errc::kLockMismatch ? "a newer run of the job has the lock"
                      : code == Errc::kNotFound   ? "the job was removed"
                                                  : "it expired, or the job was requeued or removed";
    lose_lock(found->second, fmt::format("{} ({})", why, lock.error().message));
  }
  for (const CancelRequest& request : event.reply->cancels) cancel(request);
}

// ---- requeuing after a restart -----------------------------------------------------------------

/// Requeues the jobs that the previous process of this worker held before any job is taken under the same
/// name.
void Machine::reclaim() {
  for (auto& [queue, state] : states_) {
    if (!state.reclaiming || !state.refused.empty() || now_.instant < state.reclaim_at) continue;
    state.reclaim_at = Instant::max();  // until the reply
    act(action::Reclaim{{queue, state.sessions.front().name}});
  }
}

void Machine::on(event::ReclaimEnded& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  if (!event.reply && event.reply.error().code != Errc::kUnsupported) {
    state->reclaim_at = now_.instant + Duration(500);
    if (is_unusable(event.reply.error().code)) state->trouble = event.reply.error().message;
    return log_store_error(
        "requeuing the jobs of this worker's previous process in queue " + event.queue.value,
        event.reply.error());
  }
  state->reclaiming = false;
  state->trouble.clear();
  recover_at_ = now_.instant;  // recovery waited for this
  if (!event.reply) return;
  counters_.recovered += event.reply->size();
  for (const JobId& id : *event.reply) {
    log(WorkerEvents::Level::kWarning,
        fmt::format(
            "job {} of queue {} was requeued: the previous process of this worker held it; not counted "
            "as an attempt",
            id.value, event.queue.value));
  }
}

// ---- recovery -------------------------------------------------------------------------------------

void Machine::recover_and_wake() {
  if (now_.instant < recover_at_) return;
  recover_at_ = now_.instant + options_.recover_interval;
  for (auto& [queue, state] : states_) {
    if (state.blocked_head) state.recheck_head = true;  // other jobs may be backfilled past it now
    const bool is_due = now_.instant - state.requested_at >= options_.idle_check;
    if (state.unavailable_seen || (is_due && !state.long_poll)) state.may_have_work = true;
    if (!state.refused.empty()) continue;
    if (options_.stalled != WorkerOptions::Stalled::kOff && !state.reclaiming &&
        !std::exchange(state.recovering, true)) {
      act(action::Recover{{.queue = queue,
                           .max_stalled = options_.max_stalled,
                           .keep_failed = options_.default_policy.keep_failed,
                           .act = options_.stalled == WorkerOptions::Stalled::kOn,
                           .grace = options_.grace,
                           .orphans_before = options_.orphans_before,
                           .worker = options_.name}});
    }
    if (!std::exchange(state.waking, true)) act(action::Wake{queue});
  }
}

void Machine::on(event::RecoverEnded& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  state->recovering = false;
  if (!event.reply)
    return log_store_error("recovering the stalled jobs of queue " + event.queue.value, event.reply.error());
  counters_.recovered += event.reply->requeued.size() + event.reply->failed.size();
  for (const JobId& id : event.reply->requeued) {
    log(WorkerEvents::Level::kWarning,
        fmt::format("job {} of queue {} had stalled and was requeued", id.value, event.queue.value));
  }
  for (const JobId& id : event.reply->failed) {
    log(WorkerEvents::Level::kWarning, fmt::format("job {} of queue {} failed: it stalled more than {} times",
                                                   id.value, event.queue.value, options_.max_stalled));
  }
  if (!event.reply->requeued.empty()) state->may_have_work = true;
  log_unlocked(*state, event.reply->unlocked);
}

/// Logs each unlocked job once, however often a recovery reports it.
void Machine::log_unlocked(QueueState& state, const std::vector<UnlockedJob>& unlocked) {
  std::set<JobId> seen;
  for (const UnlockedJob& job : unlocked) {
    seen.insert(job.id);
    if (state.reported_unlocked.contains(job.id)) continue;
    std::string since;
    if (job.started)
      since =
          fmt::format(", started {} ago", human_duration(std::max(now_.wall - *job.started, Duration{0})));
    const char* why = job.why == UnlockedJob::Why::kOrphan  ? "an orphan; retry or remove it"
                      : job.why == UnlockedJob::Why::kGrace ? "another worker took it and may still run it"
                                                            : "reported only, as configured";
    log(WorkerEvents::Level::kWarning, fmt::format("job {} of queue {} is active without a lock{}: {}",
                                                   job.id.value, state.queue.value, since, why));
  }
  state.reported_unlocked = std::move(seen);
}

void Machine::wake_due() {
  for (auto& [queue, state] : states_) {
    if (!state.due || !state.refused.empty() || now_.instant < *state.due) continue;
    if (std::exchange(state.waking, true)) continue;
    act(action::Wake{queue});
  }
}

void Machine::on(event::WakeEnded& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  state->waking = false;
  const bool some_were_due = state->due && now_.instant >= *state->due;
  state->due.reset();
  if (!event.reply)
    return log_store_error("waking the delayed jobs of queue " + event.queue.value, event.reply.error());
  // At least 20 ms: a store with a slow clock would otherwise be asked in a loop.
  if (event.reply->due) state->due = now_.instant + std::max(*event.reply->due - now_.wall, Duration(20));
  if (some_were_due) state->may_have_work = state->recheck_head = true;
}

// ---- waiting for work --------------------------------------------------------------------------

void Machine::wait_for_work() {
  if (waiting_ || !options_.take || now_.instant < wait_at_) return;
  waiting_ = true;
  wait_sent_ = now_.instant;
  act(action::Wait{
      {options_.name, queues_, options_.long_poll > Duration{0} ? options_.long_poll : options_.idle_check}});
}

void Machine::on(event::WaitEnded& event) {
  waiting_ = false;
  if (!event.reply) {
    log_store_error("waiting for work", event.reply.error());
    wait_at_ = now_.instant + Duration(1'000);
    return;
  }
  for (const QueueName& queue : event.reply->queues) {
    QueueState* state = state_of(queue);
    if (state == nullptr) continue;
    state->may_have_work = true;
    state->recheck_head = state->blocked_head.has_value();  // a new job may start before it
  }
  for (const CancelRequest& request : event.reply->cancels) cancel(request);
  // A store that returns at once without a hint would otherwise be asked in a loop.
  const bool empty = event.reply->queues.empty() && event.reply->cancels.empty();
  wait_at_ = empty && now_.instant - wait_sent_ < Duration(10) ? now_.instant + Duration(50) : now_.instant;
}

}  // namespace gaur::worker
