// The regular duties: renewal, sweep, waiting for work; and the way to stop.
#include <fmt/format.h>

#include <algorithm>

#include "core/human_text.hpp"
#include "worker/machine.hpp"

namespace gaur {

std::string_view to_string(WorkerPhase phase) {
  switch (phase) {
    case WorkerPhase::kNew: return "new";
    case WorkerPhase::kRunning: return "running";
    case WorkerPhase::kQuiet: return "quiet";
    case WorkerPhase::kStopping: return "stopping";
    case WorkerPhase::kStopped: return "stopped";
  }
  return "unknown";
}

namespace worker {

// ---- locks -------------------------------------------------------------------------------------

/// All locks of a queue in one call, at half of their life. Runs that ended are renewed until their finish is
/// answered. More often, those that run are checked: a job that was moved or removed by somebody else must
/// not run on.
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
      if (renews) renew_at_ = check_at_;  // a check is under way
      continue;
    }
    act(action::Extend{{queue, std::move(locks), options_.lock, options_.name, renews}});
  }
}

void Machine::on(event::Extended& event) {
  if (QueueState* state = state_of(event.queue)) state->extending = false;
  if (!event.reply) {
    store_error("renewing the locks of queue " + event.queue.value, event.reply.error());
    renew_at_ = std::min(renew_at_, now_.instant + std::min(options_.lock / 8, Duration(1'000)));
    return;
  }
  for (std::size_t i = 0; i < event.held.size() && i < event.reply->locks.size(); ++i) {
    const Status& lock = event.reply->locks[i];
    const auto found = runs_.find(event.held[i].token);
    if (lock || found == runs_.end() || found->second.ended || found->second.lost) continue;
    const Errc code = lock.error().code;
    const char* why = code == Errc::kLockMismatch ? "taken over by a newer run of the job"
                      : code == Errc::kNotFound   ? "the job was removed"
                                                  : "it expired, or the job was given back or removed";
    lose(found->second, fmt::format("{} ({})", why, lock.error().message));
  }
  for (const CancelRequest& request : event.reply->cancels) cancel(request);
}

// ---- what an earlier life held -----------------------------------------------------------------

/// A host that was killed gives back at once what it had, before it takes anything under the same name.
void Machine::reclaim() {
  for (auto& [queue, state] : states_) {
    if (!state.reclaiming || !state.refused.empty() || now_.instant < state.reclaim_again) continue;
    state.reclaim_again = Instant::max();  // until it is answered
    act(action::Reclaim{{queue, state.sessions.front().name}});
  }
}

void Machine::on(event::ReclaimEnded& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  if (!event.reply && event.reply.error().code != Errc::kUnsupported) {
    state->reclaim_again = now_.instant + Duration(500);
    if (event.reply.error().code == Errc::kCorrupt || event.reply.error().code == Errc::kPermission)
      state->trouble = event.reply.error().message;
    return store_error("asking queue " + event.queue.value + " for jobs of an earlier life",
                       event.reply.error());
  }
  state->reclaiming = false;
  state->trouble.clear();
  sweep_at_ = now_.instant;  // its recovery was put off until now
  if (!event.reply) return;
  counters_.recovered += event.reply->size();
  for (const JobId& id : *event.reply) {
    note(
        WorkerEvents::Level::kWarning,
        fmt::format(
            "job {} of queue {} was held by an earlier life of this host: it waits again, nothing is counted",
            id.value, event.queue.value));
  }
}

// ---- sweep -------------------------------------------------------------------------------------

void Machine::sweep() {
  if (now_.instant < sweep_at_) return;
  sweep_at_ = now_.instant + options_.sweep;
  for (auto& [queue, state] : states_) {
    if (state.blocked_head) state.look_again = true;  // time has passed: what may pass the head has changed
    const bool long_ago = now_.instant - state.asked >= options_.idle_check;
    if (state.closed_seen || (long_ago && !state.parked)) state.may_have_work = true;
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
  if (!event.reply) return store_error("sweep of queue " + event.queue.value, event.reply.error());
  counters_.recovered += event.reply->requeued.size() + event.reply->failed.size();
  for (const JobId& id : event.reply->requeued) {
    note(WorkerEvents::Level::kWarning,
         fmt::format("job {} of queue {} had lost its lock: it waits again", id.value, event.queue.value));
  }
  for (const JobId& id : event.reply->failed) {
    note(WorkerEvents::Level::kWarning,
         fmt::format("job {} of queue {} had lost its lock more than {} times: it failed", id.value,
                     event.queue.value, options_.max_stalled));
  }
  if (!event.reply->requeued.empty()) state->may_have_work = true;
  report_unlocked(*state, event.reply->left);
}

/// Each job that is left alone is told once, however often the sweep sees it.
void Machine::report_unlocked(QueueState& state, const std::vector<UnlockedJob>& left) {
  std::set<JobId> seen;
  for (const UnlockedJob& lost : left) {
    seen.insert(lost.id);
    if (state.told.contains(lost.id)) continue;
    std::string since;
    if (lost.started)
      since =
          fmt::format(", started {} ago", human_duration(std::max(now_.wall - *lost.started, Duration{0})));
    const char* why = lost.why == UnlockedJob::Why::kOrphan
                          ? "an orphan: it is left as it is until somebody decides"
                      : lost.why == UnlockedJob::Why::kGrace ? "another worker took it and may still run it"
                                                             : "told only, as configured";
    note(WorkerEvents::Level::kWarning, fmt::format("job {} of queue {} is active without a lock{}: {}",
                                                    lost.id.value, state.queue.value, since, why));
  }
  state.told = std::move(seen);
}

void Machine::wake_due() {
  for (auto& [queue, state] : states_) {
    if (!state.due || !state.refused.empty() || now_.instant < *state.due ||
        std::exchange(state.waking, true))
      continue;
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
    return store_error("waking the delayed jobs of queue " + event.queue.value, event.reply.error());
  // Never at once: a store whose clock is behind ours is not asked without pause.
  if (event.reply->due) state->due = now_.instant + std::max(*event.reply->due - now_.wall, Duration(20));
  if (some_were_due) state->may_have_work = state->look_again = true;
}

// ---- waiting for work --------------------------------------------------------------------------

void Machine::keep_waiting() {
  if (waiting_ || !options_.take || now_.instant < wait_again_at_) return;
  waiting_ = true;
  wait_sent_ = now_.instant;
  act(action::Wait{
      {options_.name, queues_, options_.park > Duration{0} ? options_.park : options_.idle_check}});
}

void Machine::on(event::WaitEnded& event) {
  waiting_ = false;
  if (!event.reply) {
    store_error("waiting for work", event.reply.error());
    wait_again_at_ = now_.instant + Duration(1'000);
    return;
  }
  for (const QueueName& queue : event.reply->queues) {
    QueueState* state = state_of(queue);
    if (state == nullptr) continue;
    state->may_have_work = true;
    state->look_again = state->blocked_head.has_value();  // what came may pass the head, or stand before it
  }
  for (const CancelRequest& request : event.reply->cancels) cancel(request);
  // A store that answers at once without having anything to say is not asked in a circle.
  const bool empty = event.reply->queues.empty() && event.reply->cancels.empty();
  wait_again_at_ =
      empty && now_.instant - wait_sent_ < Duration(10) ? now_.instant + Duration(50) : now_.instant;
}

// ---- stopping ----------------------------------------------------------------------------------

void Machine::on(event::Quiet&) {
  if (phase_ == WorkerPhase::kNew || phase_ == WorkerPhase::kRunning) phase_ = WorkerPhase::kQuiet;
}

void Machine::on(event::Resume&) {
  if (phase_ != WorkerPhase::kQuiet) return;
  phase_ = WorkerPhase::kRunning;
  for (auto& [queue, state] : states_) state.may_have_work = true;
}

// ---- a queue that may not be used ---------------------------------------------------------------

/// Runs of it end as usual: their locks are renewed and their finishes sent.
void Machine::on(event::Refuse& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  state->refused = std::move(event.why);
  state->unpark = state->unpark || state->parked.has_value();
}

void Machine::on(event::Accept& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr || state->refused.empty()) return;
  state->refused.clear();
  state->may_have_work = state->look_again = true;
  sweep_at_ = now_.instant;
}

void Machine::on(event::Stop& event) {
  if (phase_ == WorkerPhase::kNew) phase_ = WorkerPhase::kStopped;
  if (phase_ == WorkerPhase::kStopped) return act(action::Stopped{stop_report_});
  const bool again = phase_ == WorkerPhase::kStopping;
  phase_ = WorkerPhase::kStopping;
  const Instant stop_at = now_.instant + std::max(event.patience, Duration{0});
  stop_at_ = again ? std::min(stop_at_, now_.instant) : stop_at;
}

/// Quiet, deadline, stop the runs, give back, give up: the whole way in one place.
void Machine::go_on_stopping() {
  if (!told_to_stop_ && now_.instant >= stop_at_) {
    told_to_stop_ = true;
    give_back_at_ = now_.instant + options_.stop_grace;
    give_up_at_ = give_back_at_ + options_.flush_grace;
    tell_runs_to_stop();
  }
  if (told_to_stop_ && now_.instant >= give_back_at_) abandon_runs();
  const bool all_sent =
      std::none_of(states_.begin(), states_.end(), [](const auto& entry) { return entry.second.busy(); });
  const bool given_up = told_to_stop_ && now_.instant >= give_up_at_;
  if (!(runs_.empty() && all_sent) && !given_up) return;
  stop_report_.unsent = runs_.size();
  if (given_up && !runs_.empty()) {
    note(WorkerEvents::Level::kError,
         fmt::format("stopped with {} finishes that did not reach the store: their locks will expire",
                     runs_.size()));
  }
  phase_ = WorkerPhase::kStopped;
  act(action::Stopped{stop_report_});
}

void Machine::tell_runs_to_stop() {
  for (auto& [token, run] : runs_) {
    if (run.ended) continue;
    run.host_stops = true;
    const auto after = std::chrono::duration_cast<Duration>(now_.instant - run.since);
    log_to_job(run, fmt::format("the host {} stops: this run is ended after {} and the job goes back to the "
                                "queue, nothing is counted",
                                options_.name, human_duration(after)));
    stop_run(run, StopReason::kHostStops, options_.name, "the host stops");
  }
}

void Machine::abandon_runs() {
  std::vector<LockToken> deaf;
  for (const auto& [token, run] : runs_) {
    if (!run.ended) deaf.push_back(token);
  }
  for (const LockToken& token : deaf) {
    Run& run = runs_.at(token);
    ++stop_report_.abandoned;
    note(WorkerEvents::Level::kError,
         fmt::format("job {} of queue {} did not end when told to: it is given back without its run",
                     run.job.id.value, run.job.queue.value));
    end(run,
        run.cancel ? RunEnd(*run.cancel)
                   : RunEnd(run::Interrupted{"the host stopped, and the run did not end when told to"}),
        {}, true);
  }
}

// ---- what is shown -----------------------------------------------------------------------------

Instant Machine::wake_at() const {
  Instant at = Instant::max();
  if (phase_ == WorkerPhase::kNew || phase_ == WorkerPhase::kStopped) return at;
  const auto no_later_than = [&](Instant when) { at = std::min(at, when); };
  no_later_than(sweep_at_);
  if (!runs_.empty()) no_later_than(std::min(renew_at_, check_at_));
  if (!waiting_ && options_.take) no_later_than(wait_again_at_);
  for (const auto& [queue, state] : states_) {
    for (const StoreSession& session : state.sessions) {
      if (session.sent && session.sent->again_at) no_later_than(*session.sent->again_at);
    }
    if (state.reclaiming && state.refused.empty()) no_later_than(state.reclaim_again);
    if (state.due && !state.waking && state.refused.empty()) no_later_than(*state.due);
    if (state.may_have_work && now_.instant < state.not_before) no_later_than(state.not_before);
    if (now_.instant < state.hold_until) no_later_than(state.hold_until);
  }
  for (const LockToken& token : dirty_) {
    const auto found = runs_.find(token);
    if (found == runs_.end()) continue;
    if (found->second.progress) no_later_than(found->second.progress_after);
    if (!found->second.lines.empty()) no_later_than(found->second.lines_after);
  }
  if (phase_ == WorkerPhase::kStopping) {
    if (!told_to_stop_) no_later_than(stop_at_);
    if (told_to_stop_) no_later_than(now_.instant < give_back_at_ ? give_back_at_ : give_up_at_);
  }
  return at;
}

void Machine::explain(WaitFacts& facts, Now now) const {
  using Host = WaitFacts::Host;
  switch (phase_) {
    case WorkerPhase::kNew:
    case WorkerPhase::kRunning: facts.host = options_.take ? Host::kTakes : Host::kSweeper; break;
    case WorkerPhase::kQuiet: facts.host = Host::kQuiet; break;
    case WorkerPhase::kStopping:
    case WorkerPhase::kStopped: facts.host = Host::kStopping; break;
  }
  const auto state = states_.find(facts.queue);
  if (state == states_.end()) return;
  facts.refused = state->second.refused.empty() ? state->second.trouble : state->second.refused;
  if (state->second.not_before > now.instant)
    facts.limited_for = std::chrono::duration_cast<Duration>(state->second.not_before - now.instant);
}

WorkerStatus Machine::status(Now now) const {
  WorkerStatus status;
  status.name = options_.name;
  status.phase = phase_;
  status.counters = counters_;
  for (const auto& [token, run] : runs_) {
    if (run.ended) continue;
    status.running.push_back(describe(run));
    status.running.back().running_for = std::chrono::duration_cast<Duration>(now.instant - run.since);
  }
  std::sort(status.running.begin(), status.running.end(),
            [](const RunningJob& a, const RunningJob& b) { return a.running_for > b.running_for; });
  for (const QueueName& queue : queues_) {
    const QueueState& state = states_.at(queue);
    std::size_t unsent = state.gathered.size();
    bool repeats = false;
    for (const StoreSession& session : state.sessions) {
      if (!session.sent) continue;
      unsent += session.sent->turn.finished.size();
      repeats = repeats || session.sent->again_at.has_value();
    }
    status.queues.push_back({queue, state.paused, state.blocked_head.has_value(), state.parked.has_value(),
                             repeats, unsent, state.refused.empty() ? state.trouble : state.refused});
  }
  return status;
}

void Machine::note(WorkerEvents::Level level, const std::string& line) const {
  if (options_.events.on_note) options_.events.on_note(level, line);
}

void Machine::store_error(const std::string& verb, const Error& error) {
  constexpr Duration kTellAgain{10'000};
  constexpr std::size_t kMostTold = 1'000;
  ++counters_.store_errors;
  if (reported_errors_.size() > kMostTold) reported_errors_.clear();
  const auto [place, fresh] = reported_errors_.try_emplace(verb, ReportedError{error.code, now_.instant});
  ReportedError& told = place->second;
  if (!fresh && told.code == error.code && now_.instant - told.at < kTellAgain) {
    ++told.again;
    return;
  }
  const std::string again =
      told.again > 0 ? fmt::format(", and {} times since it was last told", told.again) : "";
  told = {error.code, now_.instant};
  note(WorkerEvents::Level::kWarning,
       fmt::format("{}: {} ({}){}", verb, error.message, to_string(error.code), again));
}

}  // namespace worker
}  // namespace gaur
