// The regular duties: renewal, sweep, waiting for work; and the way to stop.
#include <fmt/format.h>

#include <algorithm>

#include "core/words.hpp"
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
  std::map<QueueName, std::vector<Held>> held;
  for (const auto& [token, run] : runs_) {
    if (!run.lost && (renews || !run.ended)) held[run.job.queue].push_back({run.job.id, token});
  }
  for (auto& [queue, locks] : held) {
    Lane* lane = lane_of(queue);
    if (lane == nullptr) continue;
    if (std::exchange(lane->extending, true)) {
      if (renews) renew_at_ = check_at_;  // a check is under way
      continue;
    }
    act(action::Extend{{queue, std::move(locks), options_.lock, options_.name, renews}});
  }
}

void Machine::on(event::Extended& event) {
  if (Lane* lane = lane_of(event.queue)) lane->extending = false;
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
  for (auto& [queue, lane] : lanes_) {
    if (!lane.reclaiming || !lane.refused.empty() || now_.instant < lane.reclaim_again) continue;
    lane.reclaim_again = Instant::max();  // until it is answered
    act(action::Reclaim{{queue, lane.tracks.front().name}});
  }
}

void Machine::on(event::ReclaimEnded& event) {
  Lane* lane = lane_of(event.queue);
  if (lane == nullptr) return;
  if (!event.reply && event.reply.error().code != Errc::kUnsupported) {
    lane->reclaim_again = now_.instant + Duration(500);
    if (event.reply.error().code == Errc::kCorrupt || event.reply.error().code == Errc::kPermission)
      lane->trouble = event.reply.error().message;
    return store_error("asking queue " + event.queue.value + " for jobs of an earlier life",
                       event.reply.error());
  }
  lane->reclaiming = false;
  lane->trouble.clear();
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
  for (auto& [queue, lane] : lanes_) {
    if (lane.denied) lane.look_again = true;  // time has passed: what may pass the head has changed
    const bool long_ago = now_.instant - lane.asked >= options_.idle_check;
    if (lane.closed_seen || (long_ago && !lane.parked)) lane.hungry = true;
    if (!lane.refused.empty()) continue;
    if (options_.stalled != WorkerOptions::Stalled::kOff && !lane.reclaiming &&
        !std::exchange(lane.recovering, true)) {
      act(action::Recover{{.queue = queue,
                           .max_stalled = options_.max_stalled,
                           .keep_failed = options_.otherwise.keep_failed,
                           .act = options_.stalled == WorkerOptions::Stalled::kOn,
                           .grace = options_.grace,
                           .orphans_before = options_.orphans_before,
                           .by = options_.name}});
    }
    if (!std::exchange(lane.waking, true)) act(action::Wake{queue});
  }
}

void Machine::on(event::RecoverEnded& event) {
  Lane* lane = lane_of(event.queue);
  if (lane == nullptr) return;
  lane->recovering = false;
  if (!event.reply) return store_error("sweep of queue " + event.queue.value, event.reply.error());
  counters_.recovered += event.reply->back.size() + event.reply->failed.size();
  for (const JobId& id : event.reply->back) {
    note(WorkerEvents::Level::kWarning,
         fmt::format("job {} of queue {} had lost its lock: it waits again", id.value, event.queue.value));
  }
  for (const JobId& id : event.reply->failed) {
    note(WorkerEvents::Level::kWarning,
         fmt::format("job {} of queue {} had lost its lock more than {} times: it failed", id.value,
                     event.queue.value, options_.max_stalled));
  }
  if (!event.reply->back.empty()) lane->hungry = true;
  tell_left(*lane, event.reply->left);
}

/// Each job that is left alone is told once, however often the sweep sees it.
void Machine::tell_left(Lane& lane, const std::vector<Lost>& left) {
  std::set<JobId> seen;
  for (const Lost& lost : left) {
    seen.insert(lost.id);
    if (lane.told.contains(lost.id)) continue;
    std::string since;
    if (lost.started)
      since = fmt::format(", started {} ago",
                          duration_in_words(std::max(now_.wall - *lost.started, Duration{0})));
    const char* why = lost.why == Lost::Why::kOrphan ? "an orphan: it is left as it is until somebody decides"
                      : lost.why == Lost::Why::kGrace ? "another worker took it and may still run it"
                                                      : "told only, as configured";
    note(WorkerEvents::Level::kWarning, fmt::format("job {} of queue {} is active without a lock{}: {}",
                                                    lost.id.value, lane.queue.value, since, why));
  }
  lane.told = std::move(seen);
}

void Machine::wake_due() {
  for (auto& [queue, lane] : lanes_) {
    if (!lane.due || !lane.refused.empty() || now_.instant < *lane.due || std::exchange(lane.waking, true))
      continue;
    act(action::Wake{queue});
  }
}

void Machine::on(event::WakeEnded& event) {
  Lane* lane = lane_of(event.queue);
  if (lane == nullptr) return;
  lane->waking = false;
  const bool some_were_due = lane->due && now_.instant >= *lane->due;
  lane->due.reset();
  if (!event.reply)
    return store_error("waking the delayed jobs of queue " + event.queue.value, event.reply.error());
  // Never at once: a store whose clock is behind ours is not asked without pause.
  if (event.reply->due) lane->due = now_.instant + std::max(*event.reply->due - now_.wall, Duration(20));
  if (some_were_due) lane->hungry = lane->look_again = true;
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
    Lane* lane = lane_of(queue);
    if (lane == nullptr) continue;
    lane->hungry = true;
    lane->look_again = lane->denied.has_value();  // what came may pass the head, or stand before it
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
  for (auto& [queue, lane] : lanes_) lane.hungry = true;
}

// ---- a queue that may not be used ---------------------------------------------------------------

/// Runs of it end as usual: their locks are renewed and their finishes sent.
void Machine::on(event::Refuse& event) {
  Lane* lane = lane_of(event.queue);
  if (lane == nullptr) return;
  lane->refused = std::move(event.why);
  lane->unpark = lane->unpark || lane->parked.has_value();
}

void Machine::on(event::Accept& event) {
  Lane* lane = lane_of(event.queue);
  if (lane == nullptr || lane->refused.empty()) return;
  lane->refused.clear();
  lane->hungry = lane->look_again = true;
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
      std::none_of(lanes_.begin(), lanes_.end(), [](const auto& entry) { return entry.second.busy(); });
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
                                options_.name, duration_in_words(after)));
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
  for (const auto& [queue, lane] : lanes_) {
    for (const Track& track : lane.tracks) {
      if (track.sent && track.sent->again_at) no_later_than(*track.sent->again_at);
    }
    if (lane.reclaiming && lane.refused.empty()) no_later_than(lane.reclaim_again);
    if (lane.due && !lane.waking && lane.refused.empty()) no_later_than(*lane.due);
    if (lane.hungry && now_.instant < lane.not_before) no_later_than(lane.not_before);
    if (now_.instant < lane.hold_until) no_later_than(lane.hold_until);
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
  const auto lane = lanes_.find(facts.queue);
  if (lane == lanes_.end()) return;
  facts.refused = lane->second.refused.empty() ? lane->second.trouble : lane->second.refused;
  if (lane->second.not_before > now.instant)
    facts.limited_for = std::chrono::duration_cast<Duration>(lane->second.not_before - now.instant);
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
    const Lane& lane = lanes_.at(queue);
    std::size_t unsent = lane.gathered.size();
    bool repeats = false;
    for (const Track& track : lane.tracks) {
      if (!track.sent) continue;
      unsent += track.sent->turn.finished.size();
      repeats = repeats || track.sent->again_at.has_value();
    }
    status.queues.push_back({queue, lane.paused, lane.denied.has_value(), lane.parked.has_value(), repeats,
                             unsent, lane.refused.empty() ? lane.trouble : lane.refused});
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
  if (told_errors_.size() > kMostTold) told_errors_.clear();
  const auto [place, fresh] = told_errors_.try_emplace(verb, ToldError{error.code, now_.instant});
  ToldError& told = place->second;
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
