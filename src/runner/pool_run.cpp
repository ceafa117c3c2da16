// Pool, second half: one run from its frame to its end.
#include <fmt/format.h>

#include <csignal>

#include "base/files.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "core/result_size.hpp"
#include "runner/pool.hpp"

namespace gaur {

namespace {

constexpr Duration kProgressEvery{50};  ///< 20 a second are told on

bool is_ours(std::string_view code) {
  for (const std::string_view ours :
       {"timeout", "queue_timeout", "memory", "crashed", "cancelled", "stalled", "invalid_data"}) {
    if (code == ours) return true;
  }
  return false;
}

RunEnd failure_of(std::string code, std::string message) {
  Failure failure;
  failure.code = std::move(code);
  failure.message = std::move(message);
  return run::Failed{std::move(failure), false};
}

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
  run.bound = run.request.grant.memory_bytes > 0 ? run.request.grant.memory_bytes : options_.memory_bytes;
  context_.shell.run(runner.id, std::move(next.frame), run.bound);
  if (run.request.timeout) {
    run.deadline = context_.after(*run.request.timeout, [this, id = runner.id] { on_deadline(id); });
  }
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

/// The first reason decides what the job becomes; a later one can only hasten the end.
void Pool::request_stop(Runner& runner, StopCall call) {
  Run& run = *runner.run;
  const bool first = !run.stopped.has_value();
  if (run.saving) {  // the runner has done its part; only a long copy can be cut short
    if (first) run.stopped = std::move(call);
    *run.saving->abandoned = true;
  } else if (first) {
    run.stopped = std::move(call);
    if (run.stage == EndStage::kQuiet) end_step(runner.id);
  } else if (call.reason == StopReason::kTimeout && run.stage == EndStage::kAsked) {
    context_.env.loop.cancel(run.end_timer);
    run.end_timer = context_.after(options_.timeout_grace, [this, id = runner.id] { end_step(id); });
  }
}

/// Quiet, cancel, TERM, KILL: each step ends the run a little harder than the one before and sets the time of
/// the next. A run that gives its outcome, or dies, leaves this ladder; nothing else does.
void Pool::end_step(RunnerId id) {
  const auto found = runners_.find(id);
  if (found == runners_.end() || !found->second.run || found->second.run->saving) return;
  Run& run = *found->second.run;
  const auto next_step = [&](EndStage stage, Duration wait) {
    run.stage = stage;
    run.end_timer = context_.after(wait, [this, id] { end_step(id); });
  };
  switch (run.stage) {
    case EndStage::kQuiet: {
      const StopReason reason = run.stopped->reason;
      context_.shell.send(id, cancel_frame(run.request.taken.token, to_string(reason), run.stopped->why));
      next_step(EndStage::kAsked,
                reason == StopReason::kTimeout ? options_.timeout_grace : options_.cancel_grace);
      break;
    }
    case EndStage::kAsked:
      context_.shell.terminate(id);
      next_step(EndStage::kTerminated, options_.kill_delay);
      break;
    case EndStage::kTerminated:
      kill_runner(found->second, {Verdict::Kind::kOurs, "deaf to cancel and SIGTERM", 0});
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
  if (named == nullptr) return;  // a type of a later version
  const bool ended = !runner.run || runner.run->saving;
  if (ended || runner.run->request.taken.token.value != *named) {
    return on_broken_frame(id, fmt::format("run {} is not running here", json::quote(*named)));
  }
  if (auto* progress = std::get_if<frame::Progress>(&frame)) {
    take_progress(runner, std::move(progress->value));
  } else if (auto* log = std::get_if<frame::Log>(&frame)) {
    cut_utf8(log->line, context_.limits.log_line_bytes);
    runner.run->observer->on_log(runner.run->request.taken.token, std::move(log->line));
  } else {
    take_end(runner, std::move(frame), figures);
  }
}

void Pool::take_end(Runner& runner, RunnerFrame frame, RunFigures figures) {
  const Run& run = *runner.run;
  const auto outcome = [&](Usage said, bool last) {
    return Outcome{run.stopped ? end_of_stopped(run) : RunEnd(), usage_of(run, std::move(said), figures),
                   last};
  };
  if (auto* done = std::get_if<frame::Completed>(&frame)) {
    Outcome made = outcome(std::move(done->usage), done->last);
    if (run.stopped) return take_outcome(runner, std::move(made));
    return complete(runner, std::move(*done), std::move(made));
  }
  if (auto* bad = std::get_if<frame::Failed>(&frame)) {
    Outcome made = outcome(std::move(bad->usage), bad->last);
    if (!run.stopped) made.end = failed(std::move(*bad));
    return take_outcome(runner, std::move(made));
  }
  auto& later = std::get<frame::Later>(frame);
  Outcome made = outcome(std::move(later.usage), later.last);
  if (!run.stopped) made.end = run::Snooze{later.delay, later.message};
  take_outcome(runner, std::move(made));
}

void Pool::take_progress(Runner& runner, std::string value) {
  Run& run = *runner.run;
  if (value.size() > context_.limits.result_bytes) {  // the run itself is well
    if (!std::exchange(run.progress_refused, true)) {
      run.observer->on_log(run.request.taken.token,
                           fmt::format("progress of {} bytes was not stored: at most {} are allowed",
                                       value.size(), context_.limits.result_bytes));
    }
    return;
  }
  run.progress = std::move(value);
  const Instant now = context_.env.clock.now();
  if (run.progress_timer != 0) return;
  if (run.progress_told && now - *run.progress_told < kProgressEvery) {
    run.progress_timer = context_.after(kProgressEvery, [this, id = runner.id] { tell_progress(id); });
  } else {
    tell_progress(runner.id);
  }
}

void Pool::tell_progress(RunnerId id) {
  const auto found = runners_.find(id);
  if (found == runners_.end() || !found->second.run || !found->second.run->progress) return;
  Run& run = *found->second.run;
  run.progress_timer = 0;
  run.progress_told = context_.env.clock.now();
  run.observer->on_progress(run.request.taken.token, *std::exchange(run.progress, std::nullopt));
}

/// A planner's answer is a result as well, whatever the function may keep in the end: the worker holds it to
/// that.
std::size_t Pool::result_limit(const FunctionName& function) const {
  const std::size_t usual = context_.limits.result_bytes;
  if (context_.result_bytes == nullptr) return usual;
  const auto found = context_.result_bytes->find(function);
  return found == context_.result_bytes->end() ? usual : std::max(usual, found->second);
}

void Pool::complete(Runner& runner, frame::Completed frame, Outcome outcome) {
  const auto reject = [&](std::string code, std::string message) {
    outcome.end = failure_of(std::move(code), std::move(message));
    take_outcome(runner, std::move(outcome));
  };
  const std::size_t limit = result_limit(runner.run->request.taken.function);
  if (frame.result.size() > limit) frame.result = json::compact(frame.result);
  if (frame.result.size() > limit) {
    outcome.end = run::Failed{result_too_large(frame.result, limit), false};
    return take_outcome(runner, std::move(outcome));
  }
  if (!frame.file) {
    outcome.end = run::Completed{json::one_line(frame.result)};
    return take_outcome(runner, std::move(outcome));
  }
  if (!context_.adopt_file) return reject("result_file", "this host keeps no result files");
  if (frame.result.empty() || frame.result.front() != '{')
    return reject("result_file", "the `result` beside a `file` must be an object");
  save_file(runner, std::move(frame), std::move(outcome));
}

/// The run ends when its file is on disk: its end is committed after that, never before.
void Pool::save_file(Runner& runner, frame::Completed frame, Outcome outcome) {
  Run& run = *runner.run;
  for (const Loop::TimerId timer : {run.deadline, run.end_timer}) context_.env.loop.cancel(timer);
  Adoption adoption;
  adoption.job = {run.request.taken.job.queue, run.request.taken.job.id};
  adoption.out = runner.scratch / "out";
  adoption.file = *std::move(frame.file);
  run.saving = Saving{std::move(outcome), json::one_line(frame.result), adoption.abandoned};
  context_.adopt_file(std::move(adoption),
                      [this, id = runner.id](const Result<ResultFile>& kept) { file_saved(id, kept); });
}

void Pool::file_saved(RunnerId id, const Result<ResultFile>& kept) {
  if (const auto found = runners_.find(id); found != runners_.end()) {
    Run& run = *found->second.run;
    Outcome outcome = std::move(run.saving->outcome);
    outcome.end = end_of_saved(run, kept);
    run.saving.reset();
    return take_outcome(found->second, std::move(outcome));
  }
  const auto found = dead_while_saving_.find(id);
  if (found == dead_while_saving_.end()) return;
  Runner runner = std::move(found->second);
  dead_while_saving_.erase(found);
  context_.shell.release_scratch(id, runner.scratch);
  RunEnd end = end_of_saved(*runner.run, kept);
  finish(runner, std::move(end), std::move(runner.run->saving->outcome.usage));
}

RunEnd Pool::end_of_saved(const Run& run, const Result<ResultFile>& kept) const {
  if (!kept && run.stopped) return end_of_stopped(run);
  if (!kept && kept.error().code == Errc::kStopping) return run::Interrupted{"the host stops"};
  if (!kept) {
    const bool full = kept.error().code == Errc::kStoreFull;
    return failure_of(full ? "results_full" : "result_file", kept.error().message);
  }
  const Taken& taken = run.request.taken;
  const JobRef job{taken.job.queue, taken.job.id};
  if (!context_.file_result) return run::Completed{with_file_member(run.saving->result, job, *kept)};
  return run::Completed{context_.file_result(taken.function, run.saving->result, job, *kept)};
}

RunEnd Pool::failed(frame::Failed frame) const {
  if (is_ours(frame.failure.code)) frame.failure.code = "error";
  cut_utf8(frame.failure.message, context_.limits.failure_bytes);
  cut_utf8(frame.failure.stack, context_.limits.failure_bytes);
  return run::Failed{std::move(frame.failure), frame.final};
}

RunEnd Pool::end_of_stopped(const Run& run) const {
  const StopCall& call = *run.stopped;
  switch (call.reason) {
    case StopReason::kTimeout:
      return run::TimedOut{run.request.timeout.value_or(
          std::chrono::duration_cast<Duration>(context_.env.clock.now() - run.begun))};
    case StopReason::kCancel: return run::Cancelled{call.who, call.why};
    case StopReason::kLockLost: return run::Interrupted{call.why.empty() ? "its lock was lost" : call.why};
    case StopReason::kHostStops: break;
  }
  return run::Interrupted{call.why.empty() ? "the host stops" : call.why};
}

/// How a runner died that Gaur did not kill, and what it last said.
std::string Pool::words_of_death(const RunnerExit& exit) {
  std::string words = exit.signal != 0 ? fmt::format("its runner died of {}", signal_name(exit.signal))
                                       : fmt::format("its runner exited with code {}", exit.exit_code);
  if (exit.signal == SIGKILL)
    words += ", which Gaur did not send: the kernel was out of memory (see dmesg), or somebody killed it";
  return exit.last_words.empty() ? words : fmt::format("{}: {}", words, exit.last_words);
}

RunEnd Pool::end_of_dead(const Runner& runner, const RunnerExit& exit) const {
  const Run& run = *runner.run;
  if (run.stopped) return end_of_stopped(run);
  const std::uint64_t peak = std::max(run.peak, exit.figures.peak_rss_bytes);
  if (runner.verdict) {
    switch (runner.verdict->kind) {
      case Verdict::Kind::kMemory:
        return run::OutOfMemory{run.bound, std::max(peak, runner.verdict->bytes), exit.output};
      case Verdict::Kind::kBrokenFrame:
        return run::Crashed{0, 0, runner.verdict->message, exit.output, run.bound, peak};
      case Verdict::Kind::kOurs: return run::Interrupted{runner.verdict->message};
    }
  }
  // Refused memory ends many programs by abort() or an unhandled error: that it stood at its bound tells why.
  const bool unwell = exit.signal != 0 || exit.exit_code != 0;
  if (unwell && run.bound > 0 && peak >= run.bound / 10 * 9)
    return run::OutOfMemory{run.bound, peak, exit.output};
  return run::Crashed{exit.signal, exit.exit_code, words_of_death(exit), exit.output, run.bound, peak};
}

Usage Pool::usage_of(const Run& run, Usage said, RunFigures figures) const {
  Usage usage;
  usage.cpu_us = figures.cpu_us > 0 ? figures.cpu_us : said.cpu_us;
  const std::uint64_t peak = std::max(figures.peak_rss_bytes, run.peak);
  usage.peak_rss_bytes = peak > 0 ? peak : said.peak_rss_bytes;
  usage.wall_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(context_.env.clock.now() - run.begun).count());
  usage.details = std::move(said.details);
  return usage;
}

void Pool::take_outcome(Runner& runner, Outcome outcome) {
  RunEnd& end = outcome.end;
  const bool may_have_left_files =
      !std::holds_alternative<run::Completed>(end) && !std::holds_alternative<run::Snooze>(end);
  const EndStage stage = runner.run->stage;
  ++runner.jobs;
  failures_ = 0;
  runner.measured_since_job = false;
  runner.idle_since = context_.env.clock.now();
  if (may_have_left_files) clear_out(runner);
  // TERM was sent: whatever it answered, it is about to die, and gets no more jobs.
  if (stage >= EndStage::kTerminated) {
    kill_runner(runner, {Verdict::Kind::kOurs, "it answered only after SIGTERM", 0});
  } else if (outcome.last) {
    stop_runner(runner);
  } else {
    runner.state = State::kIdle;
  }
  finish(runner, std::move(end), std::move(outcome.usage));
  if (runner.state == State::kIdle && (closing_ || runner.retire)) stop_runner(runner);
  context_.on_idle_memory();
  balance();
}

/// Tells the observer. The runner is free, or dead.
void Pool::finish(Runner& runner, RunEnd end, Usage usage) {
  const std::unique_ptr<Run> run = std::move(runner.run);
  for (const Loop::TimerId timer : {run->deadline, run->end_timer, run->progress_timer})
    context_.env.loop.cancel(timer);
  const LockToken token = run->request.taken.token;
  if (run->progress) run->observer->on_progress(token, std::move(*run->progress));
  context_.on_run_ended(token);
  run->observer->on_end(token, std::move(end), std::move(usage));
}

void Pool::on_broken_frame(RunnerId id, const std::string& what) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  context_.log.warn("broken frame", {{"pool", name_}, {"pid", found->second.pid}, {"what", what}});
  kill_runner(found->second, {Verdict::Kind::kBrokenFrame, "its runner sent a broken frame: " + what, 0});
}

void Pool::on_memory(RunnerId id, std::uint64_t bytes) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  Runner& runner = found->second;
  runner.rss = bytes;
  if (runner.run) {
    Run& run = *runner.run;
    run.peak = std::max(run.peak, bytes);
    if (runner.state == State::kRunning && !run.saving && run.bound > 0 && bytes > run.bound) {
      context_.log.warn("run over its memory",
                        {{"pool", name_}, {"pid", runner.pid}, {"bytes", bytes}, {"bound", run.bound}});
      kill_runner(runner, {Verdict::Kind::kMemory, "over its memory", bytes});
    }
    return;
  }
  runner.measured_since_job = true;
  context_.on_idle_memory();
  if (!closing_) balance();
}

void Pool::clear_out(const Runner& runner) {
  std::error_code ignored;
  for (const auto& entry : entries_of(runner.scratch / "out", ignored))
    std::filesystem::remove_all(entry, ignored);
}

}  // namespace gaur
