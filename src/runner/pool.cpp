#include "runner/pool.hpp"

#include <fmt/format.h>

#include <cstring>

#include "results/file_record.hpp"

namespace gaur {

namespace {

/// A runner that exits this soon after `ready`, without a job, counts as a failed start.
constexpr Duration kStable{1'000};

std::string describe(const RunnerExit& exit) {
  if (!exit.problem.empty()) return exit.problem;
  const std::string end = exit.signal != 0 ? fmt::format("it died of {}", signal_name(exit.signal))
                                           : fmt::format("it exited with code {}", exit.exit_code);
  return exit.cause.empty() ? end : fmt::format("{}; its last output: {}", end, exit.cause);
}

}  // namespace

Pool::Pool(std::string name, PoolOptions options, PoolContext context)
    : name_(std::move(name)), options_(std::move(options)), context_(std::move(context)) {}

void Pool::open() {
  balance();
}

void Pool::close() {
  closing_ = true;
  for (const Waiting& waiting : std::exchange(waiting_, {}))
    end_waiting(waiting, run::Interrupted{"the host stops"});
  for (auto& [id, runner] : dead_while_saving_)
    request_stop(runner, {StopReason::kHostStops, "", "the host stops"});
  for (auto& [id, runner] : runners_) {
    if (runner.state == State::kRunning) request_stop(runner, {StopReason::kHostStops, "", "the host stops"});
    if (runner.state == State::kIdle) stop_runner(runner);
    if (runner.state == State::kStarting) kill_runner(runner, {KillReason::Kind::kPool, "the host stops", 0});
  }
}

std::size_t Pool::count(State state) const {
  return static_cast<std::size_t>(std::count_if(
      runners_.begin(), runners_.end(), [&](const auto& entry) { return entry.second.state == state; }));
}

/// Decides which runners to start and stop. Called after every event; idempotent.
void Pool::balance() {
  if (closing_) return;
  assign_waiting();
  replace_due();
  const std::size_t bound = options_.max_runners == 0 ? SIZE_MAX : options_.max_runners;
  while (true) {
    const std::size_t starting = count(State::kStarting);
    const std::size_t alive = starting + count(State::kIdle) + count(State::kRunning);
    const bool wanted = starting < waiting_.size() || alive < options_.min_runners;
    if (!wanted || alive >= bound || !may_start()) break;
    spawn(0);
  }
  // A broken pool starts its probe without a waiting run: its jobs wait in the queue.
  if (broken_ && count(State::kStarting) == 0 && may_start()) spawn(0);
  stop_surplus();
}

void Pool::assign_waiting() {
  while (!waiting_.empty()) {
    Runner* runner = pick_idle();
    if (runner == nullptr) return;
    if (kept_too_much(*runner, waiting_.front())) {
      context_.log.info("runner replaced: it kept memory of earlier jobs",
                        {{"pool", name_}, {"pid", runner->pid}, {"kept", kept_memory(*runner)}});
      stop_runner(*runner);
      continue;
    }
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(*runner, std::move(next));
  }
}

/// Returns the runner that was used last, so that surplus runners stay idle and are stopped; a runner that is
/// due for replacement only if there is no other.
Pool::Runner* Pool::pick_idle() {
  Runner* best = nullptr;
  for (auto& [id, runner] : runners_) {
    if (runner.state != State::kIdle || runner.retire) continue;
    const auto rank = [this](const Runner& r) { return std::pair{!is_due(r), r.idle_since}; };
    if (best == nullptr || rank(runner) > rank(*best)) best = &runner;
  }
  return best;
}

/// What it kept of its earlier jobs: caches, garbage that is not collected yet, leaks.
std::uint64_t Pool::kept_memory(const Runner& runner) {
  if (runner.jobs == 0 || runner.rss_when_new == 0 || !runner.measured_after_job) return 0;
  return runner.rss > runner.rss_when_new ? runner.rss - runner.rss_when_new : 0;
}

/// A run may use its whole limit beside the memory of earlier jobs, so that is bounded.
bool Pool::kept_too_much(const Runner& runner, const Waiting& next) const {
  const std::uint64_t bound = bound_of(next.request);
  return bound > 0 && kept_memory(runner) > bound / 2;
}

/// After a failure to start, one runner at a time is started, and only after the pause.
bool Pool::may_start() {
  if (failures_ == 0) return true;
  if (count(State::kStarting) > 0) return false;
  const Instant now = context_.env.clock.now();
  if (!not_before_ || *not_before_ <= now) return true;
  if (retry_timer_ == 0) {
    retry_timer_ = context_.after(std::chrono::ceil<Duration>(*not_before_ - now), [this] {
      retry_timer_ = 0;
      balance();
    });
  }
  return false;
}

void Pool::spawn(RunnerId predecessor) {
  Runner runner;
  runner.id = context_.next_id();
  runner.predecessor = predecessor;
  runner.started = context_.env.clock.now();
  runner.scratch = context_.run_folder /
                   fmt::format("{}-{}-{}", results::file_name_of(name_), context_.server_pid, runner.id);
  const RunnerId id = runner.id;
  runner.timer = context_.after(options_.start_timeout, [this, id] {
    const auto found = runners_.find(id);
    if (found == runners_.end() || found->second.state != State::kStarting) return;
    const std::string why = fmt::format("not ready within {} ms", options_.start_timeout.count());
    kill_runner(found->second, {KillReason::Kind::kPool, why, 0});
  });
  ++started_;
  context_.on_runner(id, true);
  context_.processes.start(spec_of(runner));
  runners_.emplace(id, std::move(runner));
}

SpawnSpec Pool::spec_of(const Runner& runner) const {
  SpawnSpec spec;
  spec.id = runner.id;
  spec.pool = name_;
  spec.command = options_.command;
  spec.env = context_.environment;
  if (const auto& user = options_.isolation.user) {
    spec.env["HOME"] = user->home;
    spec.env["USER"] = spec.env["LOGNAME"] = user->name;
  }
  for (const auto& [name, value] : options_.env) spec.env[name] = value;
  const std::string tmp = (runner.scratch / "tmp").string();
  spec.env["GAUR_PROTOCOL"] = std::to_string(kRunnerProtocol);
  spec.env["GAUR_POOL"] = name_;
  spec.env["GAUR_THREADS"] = std::to_string(options_.threads);
  spec.env["GAUR_MEMORY"] = std::to_string(options_.memory_bytes);
  spec.env["GAUR_TMP"] = tmp;
  spec.env["TMPDIR"] = tmp;
  spec.env["GAUR_OUT"] = (runner.scratch / "out").string();
  spec.working_folder = options_.working_folder;
  spec.scratch = runner.scratch;
  spec.measure_scratch = context_.measures_scratch;
  spec.memory_bytes = options_.memory_bytes;
  spec.open_files = options_.open_files;
  spec.max_processes = options_.max_processes;
  spec.threads = options_.threads;
  spec.isolation = options_.isolation;
  spec.output = options_.output;
  return spec;
}

void Pool::on_started(RunnerId id, std::int64_t pid) {
  if (const auto found = runners_.find(id); found != runners_.end()) found->second.pid = pid;
}

void Pool::became_ready(Runner& runner, const frame::Ready& ready) {
  if (runner.state != State::kStarting) return;
  if (ready.protocol < kRunnerProtocol) {
    return kill_runner(
        runner, {KillReason::Kind::kPool,
                 fmt::format("it speaks protocol {}, {} is needed", ready.protocol, kRunnerProtocol), 0});
  }
  context_.env.loop.cancel(std::exchange(runner.timer, 0));
  runner.state = State::kIdle;
  runner.ready = runner.idle_since = context_.env.clock.now();
  not_before_.reset();
  reset_failures_if_stable(runner.id);
  context_.log.debug("runner ready", {{"pool", name_}, {"pid", runner.pid}, {"name", ready.name}});
  if (broken_) {
    broken_.reset();
    context_.log.info("pool recovered", {{"pool", name_}});
    context_.on_broken(false, "");
  }
  if (const auto old = runners_.find(runner.predecessor); old != runners_.end()) {
    old->second.retire = true;
    if (old->second.state == State::kIdle) stop_runner(old->second);
  }
  balance();
}

/// A runner may exit right after `ready`. One that completes a job or runs for a second resets the count of
/// failures.
void Pool::reset_failures_if_stable(RunnerId id) {
  if (failures_ == 0) return;
  context_.after(kStable, [this, id] {
    if (runners_.contains(id)) failures_ = 0;
  });
}

void Pool::failed_to_start(const Runner& runner, const std::string& why) {
  if (closing_) return;
  // Runners that were started at the same time and failed count as one failure.
  if (failures_ > 0 && runner.started < last_failure_) return;
  ++failures_;
  last_failure_ = context_.env.clock.now();
  Duration pause = options_.restart_min;
  for (std::uint32_t i = 1; i < failures_ && pause < options_.restart_max; ++i) pause *= 2;
  pause = std::min(pause, options_.restart_max);
  not_before_ = last_failure_ + pause;
  context_.log.warn("runner did not start",
                    {{"pool", name_}, {"why", why}, {"failures", failures_}, {"next_try_ms", pause}});
  if (failures_ >= options_.breaker_after) open_breaker(why);
}

void Pool::open_breaker(const std::string& why) {
  const bool opens = !broken_.has_value();
  broken_ = fmt::format("the runners of pool {} cannot start ({} times in a row): {}", name_, failures_, why);
  if (opens) {
    context_.log.error("pool broken", {{"pool", name_}, {"why", why}});
    context_.on_broken(true, *broken_);
  }
  for (const Waiting& waiting : std::exchange(waiting_, {})) end_waiting(waiting, run::Interrupted{*broken_});
}

bool Pool::is_due(const Runner& runner) const {
  // Counts the running job: the successor starts while its predecessor's last job runs.
  const std::uint32_t jobs = runner.jobs + (runner.state == State::kRunning ? 1 : 0);
  return (options_.max_jobs > 0 && jobs >= options_.max_jobs) ||
         (options_.max_rss_bytes > 0 && runner.state == State::kIdle && runner.measured_after_job &&
          runner.rss > options_.max_rss_bytes) ||
         (options_.max_age.count() > 0 && context_.env.clock.now() - runner.started >= options_.max_age);
}

void Pool::replace_due() {
  const std::size_t alive = count(State::kIdle) + count(State::kRunning);
  const std::size_t at_most = std::max<std::size_t>(1, alive / 4);
  auto replaced = static_cast<std::size_t>(std::count_if(
      runners_.begin(), runners_.end(), [](const auto& entry) { return entry.second.successor != 0; }));
  std::vector<RunnerId> due;
  for (const auto& [id, runner] : runners_) {
    const bool serves = runner.state == State::kIdle || runner.state == State::kRunning;
    if (serves && runner.successor == 0 && is_due(runner)) due.push_back(id);
  }
  for (const RunnerId id : due) {
    if (replaced >= at_most || !may_start()) return;
    spawn(id);
    runners_.at(id).successor = runners_.rbegin()->first;
    ++replaced;
  }
}

void Pool::stop_surplus() {
  const Instant now = context_.env.clock.now();
  std::size_t alive = count(State::kIdle) + count(State::kRunning);
  std::optional<Instant> next;
  for (auto& [id, runner] : runners_) {
    if (runner.state != State::kIdle || alive <= options_.min_runners) continue;
    const Instant at = runner.idle_since + options_.idle_after;
    if (at <= now) {
      stop_runner(runner);
      --alive;
    } else {
      next = std::min(next.value_or(at), at);
    }
  }
  if (!next || surplus_timer_ != 0) return;
  surplus_timer_ = context_.after(std::chrono::ceil<Duration>(*next - now), [this] {
    surplus_timer_ = 0;
    balance();
  });
}

void Pool::stop_runner(Runner& runner) {
  runner.state = State::kEnding;
  context_.processes.send(runner.id, stop_frame());
  context_.processes.close_input(runner.id);
  const RunnerId id = runner.id;
  runner.timer = context_.after(options_.stop_grace, [this, id] { context_.processes.kill(id); });
}

void Pool::kill_runner(Runner& runner, KillReason reason) {
  if (!runner.kill_reason) runner.kill_reason = std::move(reason);
  if (runner.run) runner.run->stage = EndStage::kKilled;
  runner.state = State::kEnding;
  context_.processes.kill(runner.id);
}

void Pool::on_exit(RunnerId id, RunnerExit exit) {
  const auto found = runners_.find(id);
  if (found == runners_.end()) return;
  Runner runner = std::move(found->second);
  runners_.erase(found);
  context_.on_runner(id, false);
  context_.env.loop.cancel(runner.timer);
  const Instant now = context_.env.clock.now();
  const bool was_ready = runner.ready != Instant{};
  const bool by_itself = runner.state == State::kIdle ||
                         (runner.kill_reason && runner.kill_reason->kind == KillReason::Kind::kBrokenFrame);
  const bool short_lived = was_ready && by_itself && runner.jobs == 0 && now - runner.ready < kStable;
  if (const auto old = runners_.find(runner.predecessor); old != runners_.end()) old->second.successor = 0;
  if (runner.run && runner.run->saving) {
    dead_while_saving_.emplace(id, std::move(runner));
    return balance();
  }
  context_.processes.release_scratch(id, runner.scratch);
  if (runner.run) {
    RunEnd end = end_of_dead(runner, exit);
    const auto* memory = std::get_if<run::OutOfMemory>(&end);
    if (std::holds_alternative<run::Crashed>(end)) ++crashed_;
    const Usage usage = usage_of(*runner.run, {}, exit.figures);
    // Deaths that Gaur caused (cancel, deadline, memory limit, stop, broken frame) are not crashes.
    if (runner.run->stopped || runner.kill_reason) {
      context_.log.debug("runner ended by its pool", {{"pool", name_}, {"pid", runner.pid}});
    } else if (exit.over_processes > 0) {
      context_.log.warn("run exceeded its limit of processes", {{"pool", name_},
                                                                {"pid", runner.pid},
                                                                {"processes", exit.over_processes},
                                                                {"bound", options_.max_processes}});
    } else if (memory != nullptr) {
      context_.log.warn("run could not allocate memory at its limit", {{"pool", name_},
                                                                       {"pid", runner.pid},
                                                                       {"bytes", memory->peak_bytes},
                                                                       {"bound", memory->bound_bytes}});
    } else {
      context_.log.warn("runner died during a job",
                        {{"pool", name_}, {"pid", runner.pid}, {"how", describe(exit)}});
    }
    finish(runner, std::move(end), usage);
  } else if (closing_) {
    // it was asked to exit
  } else if (!was_ready || short_lived) {
    ++crashed_;
    failed_to_start(runner, runner.kill_reason ? runner.kill_reason->message : describe(exit));
  } else if (runner.state == State::kIdle) {
    context_.log.warn("idle runner exited", {{"pool", name_}, {"pid", runner.pid}, {"how", describe(exit)}});
  }
  context_.on_idle_memory();
  balance();
}

}  // namespace gaur
