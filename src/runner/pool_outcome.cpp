// Pool, third part: outcomes and ends of runs.
#include <fmt/format.h>

#include <csignal>

#include "base/files.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "core/result_size.hpp"
#include "runner/pool.hpp"

namespace gaur {

namespace {

/// Codes that Gaur itself assigns; a runner's failure cannot have them.
bool is_reserved(std::string_view code) {
  for (const std::string_view ours : {"timeout", "queue_timeout", "memory", "crashed", "cancelled", "stalled",
                                      "invalid_data", "scratch_full", "processes"}) {
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

}  // namespace

/// The larger limit applies here because a planner's result, the plan, has the default limit. The worker
/// applies the function's own limit.
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
  if (!context_.save_file) return reject("result_file", "this host stores no result files");
  if (frame.result.empty() || frame.result.front() != '{')
    return reject("result_file", "the `result` beside a `file` must be an object");
  save_file(runner, std::move(frame), std::move(outcome));
}

/// The run ends when its file is synced to disk, so that a committed result always has its file.
void Pool::save_file(Runner& runner, frame::Completed frame, Outcome outcome) {
  Run& run = *runner.run;
  for (const Loop::TimerId timer : {run.deadline, run.end_timer}) context_.env.loop.cancel(timer);
  results::SaveRequest request;
  request.job = {run.request.taken.job.queue, run.request.taken.job.id};
  request.out = runner.scratch / "out";
  request.file = *std::move(frame.file);
  request.max_bytes = options_.max_file;
  run.saving = Saving{std::move(outcome), json::one_line(frame.result), request.cancelled};
  context_.save_file(std::move(request),
                     [this, id = runner.id](const Result<ResultFile>& saved) { file_saved(id, saved); });
}

void Pool::file_saved(RunnerId id, const Result<ResultFile>& saved) {
  if (const auto found = runners_.find(id); found != runners_.end()) {
    Run& run = *found->second.run;
    Outcome outcome = std::move(run.saving->outcome);
    outcome.end = end_of_saved(run, saved);
    run.saving.reset();
    return take_outcome(found->second, std::move(outcome));
  }
  const auto found = dead_while_saving_.find(id);
  if (found == dead_while_saving_.end()) return;
  Runner runner = std::move(found->second);
  dead_while_saving_.erase(found);
  context_.processes.release_scratch(id, runner.scratch);
  RunEnd end = end_of_saved(*runner.run, saved);
  finish(runner, std::move(end), std::move(runner.run->saving->outcome.usage));
}

RunEnd Pool::end_of_unsaved(const Error& error) const {
  switch (error.code) {
    case Errc::kStoreFull: return failure_of("results_full", error.message);
    case Errc::kTooLarge:
      return failure_of("too_large",
                        fmt::format("{} (pools.{}.max_file); write a smaller file, or raise that key",
                                    error.message, name_));
    default: return failure_of("result_file", error.message);
  }
}

RunEnd Pool::end_of_saved(const Run& run, const Result<ResultFile>& saved) const {
  if (!saved && run.stopped) return end_of_stopped(run);
  if (!saved && saved.error().code == Errc::kStopping) return run::Interrupted{"the host stops"};
  if (!saved) return end_of_unsaved(saved.error());
  const Taken& taken = run.request.taken;
  ResultFileInfo file = context_.describe_file(taken.function, {taken.job.queue, taken.job.id}, *saved);
  std::string result = file.is_link ? "null" : run.saving->result;
  return run::Completed{std::move(result), std::move(file)};
}

RunEnd Pool::failed(frame::Failed frame) const {
  if (is_reserved(frame.failure.code)) frame.failure.code = "error";
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

/// How a runner died that Gaur did not kill, and the likely cause from its output.
std::string Pool::death_message(const RunnerExit& exit) {
  std::string words = exit.signal != 0 ? fmt::format("its runner died of {}", signal_name(exit.signal))
                                       : fmt::format("its runner exited with code {}", exit.exit_code);
  if (exit.signal == SIGKILL)
    words += ", which Gaur did not send: the kernel's OOM killer (see dmesg) or another process did";
  return exit.cause.empty() ? words : fmt::format("{}: {}", words, exit.cause);
}

RunEnd Pool::end_of_dead(const Runner& runner, const RunnerExit& exit) const {
  const Run& run = *runner.run;
  if (run.stopped) return end_of_stopped(run);
  const std::uint64_t peak = std::max(run.peak, exit.figures.peak_rss_bytes);
  if (runner.kill_reason) {
    switch (runner.kill_reason->kind) {
      case KillReason::Kind::kMemory:
        return run::OutOfMemory{run.bound, std::max(peak, runner.kill_reason->bytes), exit.output};
      case KillReason::Kind::kScratch: return failure_of("scratch_full", runner.kill_reason->message);
      case KillReason::Kind::kBrokenFrame:
        return run::Crashed{0, 0, runner.kill_reason->message, exit.output, run.bound, peak};
      case KillReason::Kind::kPool: return run::Interrupted{runner.kill_reason->message};
    }
  }
  if (exit.over_processes > 0)
    return failure_of("processes",
                      fmt::format("it had {} processes and threads, over its limit of {} "
                                  "(pools.{}.max_processes); start fewer at once, or raise that key",
                                  exit.over_processes, options_.max_processes, name_));
  if (exit.oom_killed && exit.signal == SIGKILL) return run::OutOfMemory{run.bound, peak, exit.output};
  // Many programs abort when an allocation fails: a peak near the limit identifies that cause.
  const bool failed = exit.signal != 0 || exit.exit_code != 0;
  if (failed && run.bound > 0 && peak >= (run.bound + run.inherited) / 10 * 9)
    return run::OutOfMemory{run.bound, peak, exit.output};
  return run::Crashed{exit.signal, exit.exit_code, death_message(exit), exit.output, run.bound, peak};
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
  const EndStage stage = runner.run->stage;
  ++runner.jobs;
  failures_ = 0;
  runner.idle_since = context_.env.clock.now();
  if (outcome.has_file) context_.processes.empty_out(runner.id);
  // After SIGTERM the runner is about to exit, whatever its outcome: it gets no more jobs.
  if (stage >= EndStage::kTerminated) {
    kill_runner(runner, {KillReason::Kind::kPool, "its outcome arrived after SIGTERM", 0});
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

/// Reports the end to the observer. The runner is idle or dead.
void Pool::finish(Runner& runner, RunEnd end, Usage usage) {
  const std::unique_ptr<Run> run = std::move(runner.run);
  for (const Loop::TimerId timer : {run->deadline, run->end_timer, run->progress_timer})
    context_.env.loop.cancel(timer);
  const LockToken token = run->request.taken.token;
  if (run->progress) run->observer->on_progress(token, std::move(*run->progress));
  context_.on_run_ended(token);
  run->observer->on_end(token, std::move(end), std::move(usage));
}

}  // namespace gaur
