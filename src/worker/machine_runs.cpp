// Runs: start, end, cancellation, progress and logs.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "core/human_text.hpp"
#include "worker/machine.hpp"

namespace gaur::worker {

namespace {
constexpr std::size_t kLinesPerCall = 64;

/// Whether the duration of this run enters the statistics of its function.
bool is_representative(const RunEnd& end) {
  return std::holds_alternative<run::Completed>(end) || std::holds_alternative<run::Failed>(end) ||
         std::holds_alternative<run::TimedOut>(end) || std::holds_alternative<run::OutOfMemory>(end);
}
}  // namespace

void Machine::start_run(Taken taken) {
  if (runs_.contains(taken.token)) return;
  ++counters_.taken;
  stop_previous_run(taken.job);
  Run fresh;
  std::string data = std::move(taken.job.data);
  fresh.job = taken.job;
  taken.job.data = std::move(data);
  fresh.token = taken.token;
  fresh.function = taken.function;
  fresh.grant = admission_.grant(taken.token);
  fresh.since = now_.instant;
  fresh.since_wall = now_.wall;
  fresh.waited = waited(fresh.job, now_.wall);
  const FunctionPolicy& policy = policy_of(fresh.function, options_);
  fresh.timeout = run_timeout(fresh.job, policy);
  Run& run = runs_.emplace(taken.token, std::move(fresh)).first->second;

  if (runs_stopped_) return end_run(run, run::Interrupted{"the host stops"}, {}, false);
  if (auto expired = waited_too_long(run.job, policy, now_.wall))
    return end_run(run, *std::move(expired), {}, false);
  if (auto unreadable = without_data(run.job)) return end_run(run, *std::move(unreadable), {}, false);
  if (options_.events.on_start) options_.events.on_start(describe(run));
  act(action::StartRun{{std::move(taken), run.grant, run.timeout}});
}

/// Another client moved the job while it ran here, and it was taken again before a check noticed.
void Machine::stop_previous_run(const Job& job) {
  if (job.attempts_started <= 1) return;
  for (auto& [token, run] : runs_) {
    if (run.job.id == job.id && run.job.queue == job.queue && !run.ended && !run.lost)
      lose_lock(run, "a newer run of the job has the lock");
  }
}

void Machine::on(event::RunEnded& event) {
  const auto found = runs_.find(event.run);
  if (found == runs_.end() || found->second.ended) return;  // abandoned when the host stopped
  Run& run = found->second;
  // The outcome was decided when the run was stopped. Only a stop of the host still accepts a result.
  if (run.cancel) {
    event.end = *run.cancel;
  } else if (run.host_stops && !std::holds_alternative<run::Completed>(event.end)) {
    event.end = run::Interrupted{"the host stopped"};
  }
  end_run(run, std::move(event.end), std::move(event.usage), true);
}

void Machine::end_run(Run& run, RunEnd how, Usage usage, bool ran) {
  if (ran && usage.wall_us == 0) {
    usage.wall_us = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now_.instant - run.since).count());
    usage.wall_us = std::max<std::uint64_t>(usage.wall_us, 1);
  }
  admission_.release(run.token, ran && is_representative(how) ? usage : Usage{}, now_.instant);
  for (auto& [queue, state] : states_) state.may_have_work = state.may_have_work || state.unavailable_seen;

  if (run.host_stops && std::holds_alternative<run::Interrupted>(how)) ++stop_report_.requeued;
  run.usage = std::move(usage);
  run.ended = true;
  if (run.lost) return drop_result(run, run.lost_why);
  run.decision = decide(std::move(how), run.job, policy_of(run.function, options_), options_, random_);
  flush(run, true);
  Finish finish{run.job.id, run.token, std::move(run.decision.outcome), run.decision.keep, std::nullopt};
  if (ran) finish.usage = run.usage;
  if (QueueState* state = state_of(run.job.queue)) state->finishes.push_back(std::move(finish));
}

// ---- stopping a run ------------------------------------------------------------------------------

void Machine::stop_run(Run& run, StopReason reason, std::string who, std::string why) {
  act(action::StopRun{run.token, reason, std::move(who), std::move(why)});
}

void Machine::cancel(const CancelRequest& request) {
  const auto found = runs_.find(request.token);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (run.ended || run.lost || run.cancel) return;
  run.cancel = run::Cancelled{request.who, request.why};
  stop_run(run, StopReason::kCancel, request.who, request.why);
}

void Machine::lose_lock(Run& run, std::string why) {
  ++counters_.locks_lost;
  run.lost = true;
  run.lost_why = "its lock was lost: " + why;
  log(WorkerEvents::Level::kWarning,
      fmt::format("job {} of queue {}: run {} is stopped and its result will be dropped: {}",
                  run.job.id.value, run.job.queue.value, run.token.value, run.lost_why));
  stop_run(run, StopReason::kLockLost, options_.name, run.lost_why);
}

// ---- progress and logs -------------------------------------------------------------------------

void Machine::mark_dirty(Run& run) {
  if (std::exchange(run.dirty, true)) return;
  dirty_.push_back(run.token);
}

void Machine::on(event::Progress& event) {
  const auto found = runs_.find(event.run);
  if (found == runs_.end() || found->second.ended || found->second.lost) return;
  Run& run = found->second;
  if (event.json.size() > options_.job_limits.result_bytes) {
    event::Log line{event.run, fmt::format("progress of {} bytes was not stored: at most {} are allowed",
                                           event.json.size(), options_.job_limits.result_bytes)};
    return on(line);
  }
  run.progress = std::move(event.json);
  mark_dirty(run);
}

void Machine::on(event::Log& event) {
  const auto found = runs_.find(event.run);
  if (found == runs_.end() || found->second.ended || found->second.job.options.keep_logs == 0) return;
  Run& run = found->second;
  if (run.lines.size() >= options_.log_lines_waiting) {
    ++run.dropped_lines;
    ++counters_.log_lines_dropped;
    return;
  }
  cut_utf8(event.line, options_.job_limits.log_line_bytes);
  if (run.lines.empty()) run.lines_after = now_.instant + options_.log_batch;
  run.lines.push_back(std::move(event.line));
  mark_dirty(run);
}

/// Stores progress and lines that are due, or all. A failed call is not repeated: lines may be missing but
/// are never duplicated.
void Machine::flush(Run& run, bool all) {
  const JobRef job{run.job.queue, run.job.id};
  if (run.progress && (all || now_.instant >= run.progress_after)) {
    act(action::StoreProgress{job, run.token, *std::exchange(run.progress, std::nullopt)});
    run.progress_after = now_.instant + Duration(1'000 / std::max(options_.progress_per_second, 1U));
  }
  if (run.lines.empty() || !(all || run.lines.size() >= kLinesPerCall || now_.instant >= run.lines_after))
    return;
  if (const auto dropped = std::exchange(run.dropped_lines, 0); dropped > 0) {
    run.lines.push_back(fmt::format("... {} lines were dropped: too many at once", dropped));
  }
  act(action::StoreLogs{job, run.token, std::exchange(run.lines, {})});
}

void Machine::flush_dirty() {
  std::erase_if(dirty_, [this](const LockToken& token) {
    const auto found = runs_.find(token);
    if (found == runs_.end()) return true;
    Run& run = found->second;
    flush(run, false);
    run.dirty = run.progress || !run.lines.empty();
    return !run.dirty;
  });
}

void Machine::log_to_job(Run& run, std::string line) {
  if (run.job.options.keep_logs == 0) return;
  act(action::StoreLogs{{run.job.queue, run.job.id}, run.token, {std::move(line)}});
}

void Machine::on(event::NotStored& event) {
  // Not an error: the job was removed, or this is progress of a previous run.
  if (event.error.code == Errc::kNotFound || event.error.code == Errc::kLockMissing ||
      event.error.code == Errc::kLockMismatch)
    return;
  log_store_error("progress or logs of run " + event.run.value, event.error);
}

RunningJob Machine::describe(const Run& run) const {
  RunningJob job;
  job.queue = run.job.queue;
  job.id = run.job.id;
  job.run = run.token;
  job.function = run.function;
  job.name = run.job.name;
  job.attempt = run.job.attempts_made + 1;
  job.started_at = run.since_wall;
  job.grant = run.grant;
  job.timeout = run.timeout;
  job.stopping = run.cancel || run.lost || run.host_stops;
  return job;
}

}  // namespace gaur::worker
