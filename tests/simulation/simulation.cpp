// Operations and faults of a simulation.
#include <fmt/format.h>

#include <algorithm>

#include "simulation_impl.hpp"

namespace gaur::simulation {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Faults of the network in a storm; between storms there are none.
constexpr Faults kStorm{
    .lost_requests = 6, .lost_replies = 6, .duplicated = 5, .latest = milliseconds(120), .down = false};
constexpr Faults kCalm{.latest = milliseconds(5)};
constexpr Duration kMostSkew = seconds(70);
constexpr std::uint64_t kMostOpenJobs = 30;

}  // namespace

Simulation::Simulation(const Plan& plan) : plan_(plan), embedded_(plan.seed % 2 == 0), env_(plan.seed) {
  const model::Mutation in_model = row_of(plan.mutant).in_model;
  const bool engine = in_model == model::Mutation::kNone && one_in(2);
  backend_ = engine ? engine_backend(env_.clock) : model_backend(env_.clock, in_model);
  mutated_ = std::make_unique<MutatedStore>(backend_->store(), plan.mutant);
  store_ = std::make_unique<Observer>(*backend_, *mutated_, env_.clock, queues_);
  store_->on_recovered = [this](const Key& key, const CurrentRun& run) { check_recovered(key, run); };
  producer_ = std::make_unique<Network>(*store_, producer_loop_, env_, Mutant::kNone);
  producer_->faults = embedded_ ? Faults{} : kCalm;
  const std::size_t hosts = embedded_ ? 1 : 1 + below(3);
  for (std::size_t i = 0; i < hosts; ++i) {
    const Duration skew = embedded_ || one_in(2) ? Duration{0} : up_to(kMostSkew * 2) - kMostSkew;
    host_plans_.push_back({fmt::format("w{}", i), queues_, embedded_, skew, plan.mutant});
    hosts_.emplace_back();
    start_host(i);
  }
  log(fmt::format("seed {}: {} store, {} hosts{}", plan.seed, engine ? "embedded" : "model", hosts,
                  embedded_ ? " in the store's process" : ""));
}

void Simulation::log(std::string text) {
  for (const char c : text) trace_ = (trace_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  if (!plan_.log) return;
  const auto at = std::chrono::duration_cast<Duration>(env_.clock.now().time_since_epoch());
  plan_.log(fmt::format("{:5} {:10} ms  {}", operation_, at.count(), text));
}

// ---- hosts -----------------------------------------------------------------------------------

void Simulation::start_host(std::size_t index) {
  hosts_[index] = std::make_unique<Host>(host_plans_[index], *store_, env_, storm_ ? kStorm : kCalm);
}

void Simulation::kill_host(std::size_t index) {
  if (!hosts_[index]) return;
  fault();
  hosts_[index]->kill();
  killed_.push_back(std::move(hosts_[index]));
}

Host* Simulation::host_of(const std::string& worker) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (host_plans_[i].name == worker) return hosts_[i].get();
  }
  return nullptr;
}

void Simulation::host_fault() {
  const std::size_t index = below(hosts_.size());
  Host* const host = hosts_[index].get();
  fault();
  if (host == nullptr) {
    log(fmt::format("start host {}", index));
    return start_host(index);
  }
  const std::uint64_t draw = below(8);
  if (draw == 0 || (draw < 3 && embedded_)) {
    log(fmt::format("kill host {}{}", index, embedded_ ? " with the store" : ""));
    kill_host(index);
    if (embedded_) store_->crash_and_reopen();
    if (embedded_ || one_in(2)) start_host(index);
  } else if (draw < 3) {
    log(fmt::format("{} host {}", host->loop.paused() ? "continue" : "stop", index));
    host->loop.paused() ? host->loop.resume() : host->loop.pause();
  } else if (draw == 3) {
    log(fmt::format("restart host {} after a clean stop", index));
    auto stopped = host->worker->stop(up_to(seconds(3)));
    for (int i = 0; i < 60 && !stopped.ready(); ++i) pass(kTick);
    kill_host(index);
    start_host(index);
  } else {
    log(fmt::format("a runner of host {} dies", index));
    if (!host->loop.paused()) host->runs.crash_one();
  }
}

void Simulation::network_fault() {
  if (embedded_) return;
  fault();
  storm_ = !storm_;
  log(storm_ ? "the network fails" : "the network works");
  for (auto& host : hosts_) {
    if (host) host->network.faults = storm_ ? kStorm : kCalm;
    if (host && storm_ && one_in(4)) host->network.faults.down = true;
  }
  producer_->faults = storm_ ? kStorm : kCalm;
}

void Simulation::disk_fault() {
  fault();
  mutated_->full = !mutated_->full;
  log(mutated_->full ? "the disk is full" : "the disk has space");
}

void Simulation::store_fault() {
  if (one_in(4)) return disk_fault();
  if (one_in(4)) {
    const std::string what = backend_->damage(env_.random.next());
    log(what);
    if (what.starts_with("I22")) report(what);
    return;
  }
  if (!embedded_) return;  // a shared store, such as Redis, keeps the locks when it restarts
  fault();
  log("the store's process dies");
  for (std::size_t i = 0; i < hosts_.size(); ++i) kill_host(i);
  store_->crash_and_reopen();
  for (std::size_t i = 0; i < hosts_.size(); ++i) start_host(i);
}

void Simulation::jump() {
  if (plan_.seed % 3 != 0) return;
  const Duration by = up_to(seconds(200)) - milliseconds(100'000);
  fault();
  log(fmt::format("the clock is set by {} ms", by.count()));
  env_.clock.jump_wall(by);
}

/// Ends every fault.
void Simulation::heal() {
  if (storm_) network_fault();
  if (mutated_->full) disk_fault();
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i] && hosts_[i]->loop.paused()) hosts_[i]->loop.resume(), fault();
    if (!hosts_[i]) start_host(i), fault();
  }
}

// ---- operations ------------------------------------------------------------------------------

void Simulation::operate() {
  const std::uint64_t draw = below(200);
  if (draw < 70) return add();
  if (draw < 74) return host_fault();
  if (draw < 76) return network_fault();
  if (draw < 78) return store_fault();
  if (draw < 79) return jump();
  if (draw < 82) return heal();
  if (draw < 92) return edit();
  if (draw < 97) return administer();
  if (draw < 98) {
    log("a quiet minute");
    heal();
    for (int i = 0; i < 60; ++i) pass(seconds(1));
    return;
  }
  const Duration time = up_to(one_in(10) ? seconds(8) : milliseconds(500));
  log(fmt::format("{} ms pass", time.count()));
  pass(time);
}

void Simulation::add() {
  std::uint64_t open = 0;
  for (const QueueName& name : queues_) {
    const Counts& counts = store_->counts(name);
    open += counts.ready() + counts[State::kDelayed] + counts[State::kActive];
  }
  if (open >= kMostOpenJobs) return pass(milliseconds(50));
  AddRequest request;
  request.queue = queue();
  static constexpr const char* kFunctions[] = {"small", "small", "small",   "small",
                                               "long",  "big",   "limited", "limited"};
  for (std::uint64_t count = one_in(6) ? 1 + below(5) : 1; count > 0; --count) {
    NewJob job{.name = kFunctions[below(std::size(kFunctions))],
               .data = fmt::format("{{\"n\":{}}}", ++added_)};
    job.options.attempts = static_cast<std::uint32_t>(1 + below(3));
    job.options.backoff.delay = Duration(static_cast<std::int64_t>(below(500)));
    if (one_in(6)) job.options.delay = up_to(one_in(4) ? seconds(90) : seconds(5));
    if (one_in(8)) job.options.priority = static_cast<std::uint32_t>(1 + below(4));
    job.options.lifo = one_in(12);
    if (one_in(15)) job.options.queue_timeout = up_to(seconds(20));
    if (request.jobs.empty()) job.options.id = own_id();
    request.jobs.push_back(std::move(job));
  }
  // Each add is a session of its own, as with an idempotency key.
  const std::uint64_t number = added_;
  request.op = {SessionName(fmt::format("p{}", number)), 1};
  log(fmt::format("add {} jobs to {}, first {}", request.jobs.size(), request.queue.value,
                  request.jobs.front().name));
  pending_adds_[number] = {std::move(request), false};
  resend_adds();
  pass(milliseconds(static_cast<std::int64_t>(below(20))));
}

/// Of one job in eight: an id that other jobs had shortly before, or long ago.
std::optional<JobId> Simulation::own_id() {
  if (!one_in(8)) return std::nullopt;
  const std::uint64_t newest = added_ / 25;
  return JobId(fmt::format("own-{}", one_in(4) ? below(newest + 1) : newest));
}

/// Sends every add without a reply again, as a client does.
void Simulation::resend_adds() {
  for (auto& [number, pending] : pending_adds_) {
    if (std::exchange(pending.in_flight, true)) continue;
    producer_->add(pending.request).then([this, id = number](Result<std::vector<Added>> reply) {
      const auto found = pending_adds_.find(id);
      if (found == pending_adds_.end()) return;
      if (reply) {
        pending_adds_.erase(found);
      } else {
        found->second.in_flight = false;
      }
    });
  }
}

std::optional<JobRef> Simulation::any_job() {
  const auto& jobs = store_->jobs();
  if (jobs.empty()) return std::nullopt;
  auto chosen = jobs.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(below(jobs.size())));
  return JobRef{chosen->first.first, chosen->first.second};
}

void Simulation::edit() {
  const auto job = any_job();
  if (!job) return;
  const std::uint64_t draw = below(9);
  const auto run = store_->runs().find({job->queue, job->id});
  switch (draw) {
    case 0:
    case 1:
    case 2: {
      log(fmt::format("cancel {}/{}", job->queue.value, job->id.value));
      if (run != store_->runs().end()) cancelled_[{run->first, run->second.token}] = env_.clock.now();
      (void)store_->cancel(*job, "client", "no longer needed");
      return;
    }
    case 3:
      log(fmt::format("retry {}/{}", job->queue.value, job->id.value));
      return (void)store_->retry(*job, one_in(2));
    case 4:
    case 5:
      log(fmt::format("promote {}/{}", job->queue.value, job->id.value));
      return (void)store_->promote(*job);
    case 6:
      log(fmt::format("remove {}/{}", job->queue.value, job->id.value));
      return (void)store_->remove(*job);
    case 7: {
      const Duration delay = up_to(seconds(10));
      log(fmt::format("delay {}/{} by {} ms", job->queue.value, job->id.value, delay.count()));
      return (void)store_->change_delay(*job, delay);
    }
    default:
      log(fmt::format("change the priority of {}/{}", job->queue.value, job->id.value));
      return (void)store_->change_priority(*job, static_cast<std::uint32_t>(below(4)), one_in(3));
  }
}

void Simulation::administer() {
  const QueueName& name = queue();
  const std::uint64_t draw = below(12);
  if (draw < 3) {
    log("pause " + name.value);
    store_->pause(name);
  } else if (draw < 8) {
    for (const QueueName& one : queues_) {
      log("resume " + one.value);
      store_->resume(one);
    }
  } else if (draw < 10) {
    log("clean " + name.value);
    store_->clean(name, one_in(2) ? State::kCompleted : State::kFailed);
  } else if (draw == 10) {
    log("drain " + name.value);
    store_->drain(name, one_in(2));
  }
}

/// Time passes in ticks, after each of which the store ends expired waits and the checks run.
void Simulation::pass(Duration time) {
  const Instant end = env_.clock.now() + time;
  do {
    const auto left = std::chrono::duration_cast<Duration>(end - env_.clock.now());
    env_.loop.run_for(std::clamp(left, Duration{0}, kTick));
    store_->tick();
    env_.loop.run_ready();
    check_progress();
    check_runs();
  } while (env_.clock.now() < end && violations_.empty());
}

/// For replays.
void Simulation::log_hosts() {
  for (auto& host : hosts_) {
    if (!host || host->loop.paused()) continue;
    auto future = host->worker->status();
    env_.loop.run_ready();
    if (!future.ready()) continue;
    const WorkerStatus status = std::move(future).get();
    log(fmt::format("host {}: {}, {} runs, {} store errors", status.name, to_string(status.phase),
                    status.running.size(), status.counters.store_errors));
    for (const QueueStatus& queue : status.queues)
      log(fmt::format("  queue {}:{}{}{}{} {} unsent", queue.queue.value, queue.paused ? " paused" : "",
                      queue.blocked ? " blocked" : "", queue.long_poll ? " long poll" : "",
                      queue.disconnected ? " disconnected" : "", queue.unsent_finishes));
    const LedgerStatus ledger = host->ledger.status(host->clock.now());
    log(fmt::format("  granted {} cores, booked {} cores", ledger.granted.cores, ledger.booked.cores));
    for (const auto& [name, use] : ledger.functions)
      log(fmt::format("  {}: {} running", name.value, use.running));
  }
}

Outcome Simulation::run() {
  const Instant start = env_.clock.now();
  for (operation_ = 1; operation_ <= plan_.operations; ++operation_) {
    operate();
    resend_adds();
    env_.loop.run_ready();
    check();
    if (!violations_.empty() || !store_->violations().empty()) break;
  }
  if (violations_.empty() && store_->violations().empty()) finish();
  Outcome outcome;
  outcome.violations = store_->violations();
  outcome.violations.insert(outcome.violations.end(), violations_.begin(), violations_.end());
  outcome.operations = std::min(operation_, plan_.operations);
  outcome.added = added_;
  outcome.recovered = store_->recovered_count();
  outcome.virtual_seconds = std::chrono::duration<double>(env_.clock.now() - start).count();
  for (const auto& [key, job] : store_->jobs()) {
    log(fmt::format("{}/{} {} {} {} {}", key.first.value, key.second.value, job.name, to_string(job.state),
                    job.attempts_started, job.result));
    outcome.starts += job.attempts_started;
  }
  outcome.trace = trace_;
  log_hosts();
  return outcome;
}

Outcome simulate(const Plan& plan) {
  Simulation simulation(plan);
  return simulation.run();
}

}  // namespace gaur::simulation
