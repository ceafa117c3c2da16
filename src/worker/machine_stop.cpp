// Quiet, resume and stop; status and log.
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

// ---- stopping ----------------------------------------------------------------------------------

void Machine::on(event::Quiet&) {
  if (phase_ == WorkerPhase::kNew || phase_ == WorkerPhase::kRunning) phase_ = WorkerPhase::kQuiet;
}

void Machine::on(event::Resume&) {
  if (phase_ != WorkerPhase::kQuiet) return;
  phase_ = WorkerPhase::kRunning;
  for (auto& [queue, state] : states_) state.may_have_work = true;
}

// ---- refused queues -----------------------------------------------------------------------------

/// Runs of the queue continue: their locks are renewed and their finishes sent.
void Machine::on(event::Refuse& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  state->refused = std::move(event.why);
  state->end_long_poll = state->end_long_poll || state->long_poll.has_value();
}

void Machine::on(event::Accept& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr || state->refused.empty()) return;
  state->refused.clear();
  state->may_have_work = state->recheck_head = true;
  recover_at_ = now_.instant;
}

// ---- stop ----------------------------------------------------------------------------------------

void Machine::on(event::Stop& event) {
  if (phase_ == WorkerPhase::kNew) phase_ = WorkerPhase::kStopped;
  if (phase_ == WorkerPhase::kStopped) return act(action::Stopped{stop_report_});
  const bool again = phase_ == WorkerPhase::kStopping;
  phase_ = WorkerPhase::kStopping;
  const Instant stop_at = now_.instant + std::max(event.patience, Duration{0});
  stop_at_ = again ? std::min(stop_at_, now_.instant) : stop_at;
}

/// The phases of a stop: wait for the runs, stop them at the deadline, abandon those that ignore it, and end
/// when all finishes are stored or flush_grace has passed.
void Machine::continue_stop() {
  if (!runs_stopped_ && now_.instant >= stop_at_) {
    runs_stopped_ = true;
    abandon_at_ = now_.instant + options_.stop_grace;
    give_up_at_ = abandon_at_ + options_.flush_grace;
    stop_runs();
  }
  if (runs_stopped_ && now_.instant >= abandon_at_) abandon_runs();
  const bool all_sent =
      std::none_of(states_.begin(), states_.end(), [](const auto& entry) { return entry.second.busy(); });
  const bool given_up = runs_stopped_ && now_.instant >= give_up_at_;
  if (!(runs_.empty() && all_sent) && !given_up) return;
  stop_report_.unsent = runs_.size();
  if (given_up && !runs_.empty()) {
    log(WorkerEvents::Level::kError,
        fmt::format("stopped; {} finishes did not reach the store, their locks will expire", runs_.size()));
  }
  phase_ = WorkerPhase::kStopped;
  act(action::Stopped{stop_report_});
}

void Machine::stop_runs() {
  for (auto& [token, run] : runs_) {
    if (run.ended) continue;
    run.host_stops = true;
    const auto after = std::chrono::duration_cast<Duration>(now_.instant - run.since);
    log_to_job(
        run, fmt::format("the host {} stops: this run was interrupted after {} and the job is requeued; not "
                         "counted as an attempt",
                         options_.name, human_duration(after)));
    stop_run(run, StopReason::kHostStops, options_.name, "the host stops");
  }
}

void Machine::abandon_runs() {
  std::vector<LockToken> unresponsive;
  for (const auto& [token, run] : runs_) {
    if (!run.ended) unresponsive.push_back(token);
  }
  for (const LockToken& token : unresponsive) {
    Run& run = runs_.at(token);
    ++stop_report_.abandoned;
    log(WorkerEvents::Level::kError,
        fmt::format("job {} of queue {} was requeued, but its run ignores the stop", run.job.id.value,
                    run.job.queue.value));
    end_run(run,
            run.cancel ? RunEnd(*run.cancel)
                       : RunEnd(run::Interrupted{"the host stopped, and the run ignored the stop"}),
            {}, true);
  }
}

// ---- status and log -----------------------------------------------------------------------------

Instant Machine::wake_at() const {
  Instant at = Instant::max();
  if (phase_ == WorkerPhase::kNew || phase_ == WorkerPhase::kStopped) return at;
  const auto no_later_than = [&](Instant when) { at = std::min(at, when); };
  no_later_than(recover_at_);
  if (!runs_.empty()) no_later_than(std::min(renew_at_, check_at_));
  if (!waiting_ && options_.take) no_later_than(wait_at_);
  for (const auto& [queue, state] : states_) {
    for (const StoreSession& session : state.sessions) {
      if (session.pending && session.pending->retry_at) no_later_than(*session.pending->retry_at);
    }
    if (state.reclaiming && state.refused.empty()) no_later_than(state.reclaim_at);
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
    if (!runs_stopped_) no_later_than(stop_at_);
    if (runs_stopped_) no_later_than(now_.instant < abandon_at_ ? abandon_at_ : give_up_at_);
  }
  return at;
}

void Machine::explain(WaitFacts& facts, Now now) const {
  using Host = WaitFacts::Host;
  switch (phase_) {
    case WorkerPhase::kNew:
    case WorkerPhase::kRunning: facts.host = options_.take ? Host::kTakes : Host::kRecoversOnly; break;
    case WorkerPhase::kQuiet: facts.host = Host::kQuiet; break;
    case WorkerPhase::kStopping:
    case WorkerPhase::kStopped: facts.host = Host::kStopping; break;
  }
  const auto state = states_.find(facts.queue);
  if (state == states_.end()) return;
  facts.refused = state->second.refused.empty() ? state->second.trouble : state->second.refused;
  facts.store_full = state->second.store_full;
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
    std::size_t unsent = state.finishes.size();
    bool disconnected = false;
    for (const StoreSession& session : state.sessions) {
      if (!session.pending) continue;
      unsent += session.pending->request.finished.size();
      disconnected = disconnected || session.pending->retry_at.has_value();
    }
    status.queues.push_back({queue, state.paused, state.blocked_head.has_value(), state.long_poll.has_value(),
                             disconnected, unsent, state.refused.empty() ? state.trouble : state.refused});
  }
  return status;
}

void Machine::log(WorkerEvents::Level level, const std::string& line) const {
  if (options_.events.on_log) options_.events.on_log(level, line);
}

void Machine::log_store_error(const std::string& operation, const Error& error) {
  constexpr Duration kLogAgain{10'000};
  constexpr std::size_t kMostOperations = 1'000;
  ++counters_.store_errors;
  if (reported_errors_.size() > kMostOperations) reported_errors_.clear();
  const auto [place, is_new] =
      reported_errors_.try_emplace(operation, ReportedError{error.code, now_.instant});
  ReportedError& last = place->second;
  if (!is_new && last.code == error.code && now_.instant - last.at < kLogAgain) {
    ++last.suppressed;
    return;
  }
  const std::string suppressed =
      last.suppressed > 0 ? fmt::format("; {} more times since the last log line", last.suppressed) : "";
  last = {error.code, now_.instant};
  log(WorkerEvents::Level::kWarning,
      fmt::format("{}: {} ({}){}", operation, error.message, to_string(error.code), suppressed));
}

}  // namespace worker
}  // namespace gaur
