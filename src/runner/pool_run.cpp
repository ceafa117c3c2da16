// Pool, second part: runs until their outcome.
#include <fmt/format.h>

#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "runner/pool.hpp"

namespace gaur {

namespace {

/// At most 20 reports a second.
constexpr Duration kProgressInterval{50};
constexpr std::uint64_t kLimitStep = std::uint64_t{16} << 20;

std::string seconds(Duration time) {
  return fmt::format("{:g} s", static_cast<double>(time.count()) / 1000);
}

}  // namespace

void Pool::start(RunRequest request, RunObserver& observer) {
  Waiting waiting{std::move(request), &observer};
  if (closing_) return end_waiting(waiting, run::Interrupted{"the host stops"});
  if (broken_) return end_waiting(waiting, run::Interrupted{*broken_});
  auto frame = run_frame(waiting.request);
  if (!frame) {
    const Failure failure{.code = "invalid_data", .message = frame.error().message};
    return end_waiting(waiting, run::Failed{failure, true});
  }
  waiting.frame = *std::move(frame);
  waiting.request.taken.job.data = {};  // the frame has it
  waiting_.push_back(std::move(waiting));
  balance();
}

void Pool::end_waiting(const Waiting& waiting, RunEnd end) {
  const LockToken token = waiting.request.taken.token;
  context_.on_run_ended(token);
  waiting.observer->on_end(token, std::move(end), {});
}

void Pool::begin(Runner& runner, Waiting next) {
  runner.state = State::kRunning;
  runner.run = std::make_unique<Run>();
  Run& run = *runner.run;
  run.request = std::move(next.request);
  run.observer = next.observer;
  run.begun = context_.env.clock.now();
  run.bound = bound_of(run.request);
  run.inherited = kept_memory(runner);
  // Rounded, so that it stays the same for most jobs.
  const std::uint64_t limit = run.bound == 0 ? 0 : run.bound + run.inherited / kLimitStep * kLimitStep;
  context_.processes.run(runner.id, std::move(next.frame), limit);
  if (run.request.timeout) {
    run.deadline = context_.after(*run.request.timeout, [this, id = runner.id] { on_deadline(id); });
  }
}

std::uint64_t Pool::bound_of(const RunRequest& request) const {
  return request.grant.memory_bytes > 0 ? request.grant.memory_bytes : options_.memory_bytes;
}

bool Pool::stop(const LockToken& token, StopReason reason, std::string who, std::string why) {
  for (auto& [id, runner] : runners_) {
    if (!runner.run || runner.run->request.taken.token != token) continue;
    request_stop(runner, {reason, std::move(who), std::move(why)});
    return true;
  }
  for (auto& [id, runner] : dead_while_saving_) {
    if (runner.run->request.taken.token != token) continue;
    request_stop(runner, {reason, std::move(who), std::move(why)});
    return true;
  }
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (it->request.taken.token != token) continue;
    Run run;
    run.request = it->request;
    run.begun = context_.env.clock.now();
    run.stopped = StopCall{reason, std::move(who), std::move(why)};
    const Waiting waiting = std::move(*it);
    waiting_.erase(it);
    end_waiting(waiting, end_of_stopped(run));
    return true;
  }
  return false;
}

/// The first reason determines the run's end. A later timeout shortens the grace.
void Pool::request_stop(Runner& runner, StopCall call) {
  Run& run = *runner.run;
  const bool first = !run.stopped.has_value();
  if (run.saving) {  // the runner is done; the copy of its file can be cancelled
    if (first) run.stopped = std::move(call);
    *run.saving->cancelled = true;
  } else if (first) {
    run.stopped = std::move(call);
    if (run.stage == EndStage::kNone) end_step(runner.id);
  } else if (call.reason == StopReason::kTimeout && run.stage == EndStage::kCancelled) {
    context_.env.loop.cancel(run.end_timer);
    run.end_timer = context_.after(options_.timeout_grace, [this, id = runner.id] { end_step(id); });
  }
}

/// Sends the cancel frame, then SIGTERM, then SIGKILL; each step starts the timer of the next. An outcome or
/// the runner's exit ends the sequence.
void Pool::end_step(RunnerId id) {
  const auto found = runners_.find(id);
  if (found == runners_.end() || !found->second.run || found->second.run->saving) return;
  Run& run = *found->second.run;
  const auto next_step = [&](EndStage stage, Duration wait) {
    run.stage = stage;
    run.end_timer = context_.after(wait, [this, id] { end_step(id); });
  };
  switch (run.stage) {
    case EndStage::kNone: {
      const StopReason reason = run.stopped->reason;
      context_.processes.send(id, cancel_frame(run.request.taken.token, to_string(reason), run.stopped->why));
      next_step(EndStage::kCancelled,
                reason == StopReason::kTimeout ? options_.timeout_grace : options_.cancel_grace);
      break;
    }
    case EndStage::kCancelled:
      context_.processes.terminate(id);
      next_step(EndStage::kTerminated, options_.kill_delay);
      break;
    case EndStage::kTerminated:
      kill_runner(found->second, {KillReason::Kind::kPool, "it ignored cancel and SIGTERM", 0});
      break;
    case EndStage::kKilled: break;
  }
}

void Pool::on_deadline(RunnerId id) {
  const auto found = runners_.find(id);
  if (found == runners_.end() || !found->second.run) return;
  const Duration timeout = *found->second.run->request.timeout;
  request_stop(found->second, {StopReason::kTimeout, "", "over " + seconds(timeout)});
}

void Pool::on_frame(RunnerId id, RunnerFrame frame, RunFigures figures) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  Runner& runner = found->second;
  if (const auto* ready = std::get_if<frame::Ready>(&frame)) return became_ready(runner, *ready);
  const std::string* named = run_of(frame);
  if (named == nullptr) return;  // a frame type of a newer protocol
  const bool ended = !runner.run || runner.run->saving;
  if (ended || runner.run->request.taken.token.value != *named) {
    return on_broken_frame(id, fmt::format("run {} is not running here", json::quote(*named)));
  }
  if (auto* progress = std::get_if<frame::Progress>(&frame)) {
    on_progress(runner, std::move(progress->value));
  } else if (auto* log = std::get_if<frame::Log>(&frame)) {
    cut_utf8(log->line, context_.limits.log_line_bytes);
    runner.run->observer->on_log(runner.run->request.taken.token, std::move(log->line));
  } else {
    on_outcome(runner, std::move(frame), figures);
  }
}

void Pool::on_outcome(Runner& runner, RunnerFrame frame, RunFigures figures) {
  const Run& run = *runner.run;
  const auto outcome = [&](Usage said, bool last) {
    return Outcome{run.stopped ? end_of_stopped(run) : RunEnd(), usage_of(run, std::move(said), figures),
                   last};
  };
  runner.measured_after_job = figures.kept_bytes > 0;
  if (runner.measured_after_job) runner.rss = figures.kept_bytes;
  if (auto* done = std::get_if<frame::Completed>(&frame)) {
    Outcome made = outcome(std::move(done->usage), done->last);
    made.has_file = done->file.has_value();
    if (run.stopped) return take_outcome(runner, std::move(made));
    return complete(runner, std::move(*done), std::move(made));
  }
  if (auto* bad = std::get_if<frame::Failed>(&frame)) {
    Outcome made = outcome(std::move(bad->usage), bad->last);
    if (!run.stopped) made.end = failed(std::move(*bad));
    return take_outcome(runner, std::move(made));
  }
  auto& snooze = std::get<frame::Snooze>(frame);
  Outcome made = outcome(std::move(snooze.usage), snooze.last);
  if (!run.stopped) made.end = run::Snooze{snooze.delay, snooze.message};
  take_outcome(runner, std::move(made));
}

void Pool::on_progress(Runner& runner, std::string value) {
  Run& run = *runner.run;
  if (value.size() > context_.limits.result_bytes) {  // the run goes on without it
    if (!std::exchange(run.progress_rejected, true)) {
      run.observer->on_log(run.request.taken.token,
                           fmt::format("progress of {} bytes was not stored: at most {} are allowed",
                                       value.size(), context_.limits.result_bytes));
    }
    return;
  }
  run.progress = std::move(value);
  const Instant now = context_.env.clock.now();
  if (run.progress_timer != 0) return;
  if (run.progress_reported && now - *run.progress_reported < kProgressInterval) {
    run.progress_timer = context_.after(kProgressInterval, [this, id = runner.id] { report_progress(id); });
  } else {
    report_progress(runner.id);
  }
}

void Pool::report_progress(RunnerId id) {
  const auto found = runners_.find(id);
  if (found == runners_.end() || !found->second.run || !found->second.run->progress) return;
  Run& run = *found->second.run;
  run.progress_timer = 0;
  run.progress_reported = context_.env.clock.now();
  run.observer->on_progress(run.request.taken.token, *std::exchange(run.progress, std::nullopt));
}

void Pool::on_broken_frame(RunnerId id, const std::string& what) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  context_.log.warn("broken frame received", {{"pool", name_}, {"pid", found->second.pid}, {"what", what}});
  kill_runner(found->second, {KillReason::Kind::kBrokenFrame, "its runner sent a broken frame: " + what, 0});
}

/// The next run, if it has begun, is requeued: the cause is an earlier job.
void Pool::on_unclean(RunnerId id, const std::string& what) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  context_.log.warn("runner replaced", {{"pool", name_}, {"pid", found->second.pid}, {"why", what}});
  kill_runner(found->second, {KillReason::Kind::kPool, what, 0});
}

void Pool::on_memory(RunnerId id, std::uint64_t bytes) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  Runner& runner = found->second;
  runner.rss = bytes;
  if (runner.jobs == 0 && !runner.run) runner.rss_when_new = bytes;
  if (runner.run) {
    Run& run = *runner.run;
    run.peak = std::max(run.peak, bytes);
    if (runner.state == State::kRunning && !run.saving && run.bound > 0 &&
        bytes > run.bound + run.inherited) {
      context_.log.warn("run exceeded its memory limit",
                        {{"pool", name_}, {"pid", runner.pid}, {"bytes", bytes}, {"bound", run.bound}});
      kill_runner(runner, {KillReason::Kind::kMemory, "over its memory limit", bytes});
    }
    return;
  }
  runner.measured_after_job = true;
  context_.on_idle_memory();
  if (!closing_) balance();
}

void Pool::on_scratch(RunnerId id, std::uint64_t bytes, Instant since) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  Runner& runner = found->second;
  const bool of_earlier_run = runner.run && runner.run->begun > since;
  runner.scratch_bytes = of_earlier_run ? 0 : bytes;
  if (options_.max_scratch == 0 || runner.scratch_bytes <= options_.max_scratch) return;
  end_for_scratch(runner,
                  fmt::format("its scratch folder has {} bytes, over its limit of {} (pools.{}.max_scratch)",
                              bytes, options_.max_scratch, name_));
}

std::uint64_t Pool::counted_scratch(RunnerId id) const {
  const auto found = runners_.find(id);
  return found == runners_.end() || found->second.state == State::kEnding ? 0 : found->second.scratch_bytes;
}

void Pool::on_host_scratch(RunnerId id, std::uint64_t all, std::uint64_t limit) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  end_for_scratch(found->second,
                  fmt::format("the scratch folders of this host have {} bytes, over their limit of {} "
                              "(machine.scratch), and that of this run has the most, {}",
                              all, limit, found->second.scratch_bytes));
}

/// A file that is being saved already counts as a result.
void Pool::end_for_scratch(Runner& runner, const std::string& why) {
  if (runner.state == State::kEnding || (runner.run && runner.run->saving)) return;
  context_.log.warn("scratch folder over its limit", {{"pool", name_},
                                                      {"pid", runner.pid},
                                                      {"bytes", runner.scratch_bytes},
                                                      {"running", runner.run != nullptr}});
  // Without a run its earlier runs left the files; its successor begins with an empty folder.
  if (runner.state == State::kIdle) return stop_runner(runner);
  kill_runner(runner,
              {KillReason::Kind::kScratch,
               why + "; write fewer or smaller files to GAUR_TMP and GAUR_OUT, or raise that key", 0});
}

}  // namespace gaur
