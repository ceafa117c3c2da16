// Checks of a simulation: while it runs, and at its end.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "simulation_impl.hpp"

namespace gaur::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool Simulation::is_calm(Duration time) const {
  return !storm_ && !mutated_->full && env_.clock.now() - last_fault_ >= time &&
         std::all_of(hosts_.begin(), hosts_.end(),
                     [](const auto& host) { return host && !host->loop.paused(); });
}

void Simulation::check() {
  store_->check();
  for (auto& host : hosts_) {
    if (host) host->check(violations_);
  }
}

/// I20: with nothing running, no job stays ready; I9: no job stays delayed after it is due.
void Simulation::check_progress() {
  constexpr Duration kLate = milliseconds(2'500);
  const Instant now = env_.clock.now();
  store_->check();
  bool waits = false;
  for (const QueueName& name : queues_)
    waits = waits || (!store_->is_paused(name) && store_->counts(name).ready() > 0);
  const bool idle =
      std::all_of(hosts_.begin(), hosts_.end(), [](const auto& host) { return host && host->is_idle(); });
  if (!waits || !idle || !settled()) {
    idle_since_.reset();
  } else if (!idle_since_) {
    idle_since_ = now;
  } else if (now - *idle_since_ > kLate) {
    report("I20: jobs are ready, the hosts are idle, and none starts");
    idle_since_ = now;
  }
  if (!settled()) return;
  for (const auto& [key, job] : store_->jobs()) {
    if (job.state == State::kDelayed && job.due && env_.clock.wall() - *job.due > kLate)
      report(fmt::format("I9: job {} is still delayed {} ms after it was due", key.second.value,
                         (env_.clock.wall() - *job.due).count()));
  }
}

/// I7: a run whose lock was lost ends; an active job has a run; a cancelled run is stopped.
void Simulation::check_runs() {
  constexpr Duration kNoticed = seconds(5);
  const Instant now = env_.clock.now();
  std::map<LockToken, Instant> stale, without_run;
  const auto since = [&](const std::map<LockToken, Instant>& before, const LockToken& token) {
    const auto found = before.find(token);
    return found == before.end() ? now : found->second;
  };
  std::set<LockToken> running;
  for (const auto& host : hosts_) {
    if (!host) continue;
    for (const auto& [token, run] : host->runs.running()) {
      running.insert(token);
      const auto current = store_->runs().find({run.job.queue, run.job.id});
      const bool is_current = current != store_->runs().end() && current->second.token == token;
      if (is_current || run.stopped || host->loop.paused()) continue;
      stale[token] = since(stale_since_, token);
      if (now - stale[token] > kNoticed && is_calm(kNoticed))
        report(fmt::format("I7: run {} goes on without its lock", token.value));
    }
  }
  for (const auto& [key, run] : store_->runs()) {
    if (running.contains(run.token)) continue;
    // What a killed host sent may still arrive, under the name of its successor.
    Host* const host = host_of(run.worker);
    if (host == nullptr || run.since < host->started + kNoticed) continue;
    without_run[run.token] = since(without_run_since_, run.token);
    if (now - without_run[run.token] > kNoticed && is_calm(2 * kNoticed))
      report(fmt::format("I4: job {} is active without a run", key.second.value));
  }
  stale_since_ = std::move(stale);
  without_run_since_ = std::move(without_run);
  std::erase_if(cancelled_, [&](const auto& entry) {
    const auto& [key, token] = entry.first;
    const auto current = store_->runs().find(key);
    if (current == store_->runs().end() || current->second.token != token) return true;
    Host* const host = host_of(current->second.worker);
    const auto run =
        host == nullptr ? std::map<LockToken, Run>::const_iterator{} : host->runs.running().find(token);
    if (host == nullptr || run == host->runs.running().end() || run->second.stopped) return true;
    if (now - entry.second > kNoticed && is_calm(kNoticed)) {
      report(fmt::format("I12: job {} was cancelled, and its run goes on", key.second.value));
      return true;
    }
    return false;
  });
}

/// I7: a job stalls only after a fault.
void Simulation::check_recovered(const Key& key, const CurrentRun& run) {
  if (settled())
    report(fmt::format("I7: job {} stalled without a fault (run {})", key.second.value, run.token.value));
}

/// I4: once faults end, every job reaches its end.
void Simulation::finish() {
  heal();
  for (const QueueName& name : queues_) store_->resume(name);
  log("faults end");
  for (int i = 0; i < 600 && violations_.empty() && store_->violations().empty(); ++i) {
    resend_adds();
    pass(seconds(1));
    check();
    const bool done = std::all_of(store_->jobs().begin(), store_->jobs().end(), [](const auto& entry) {
      return entry.second.state == State::kCompleted || entry.second.state == State::kFailed;
    });
    if (done && pending_adds_.empty()) return check_end();
  }
  if (!violations_.empty() || !store_->violations().empty()) return;
  for (const auto& [key, job] : store_->jobs()) {
    if (job.state != State::kCompleted && job.state != State::kFailed)
      report(fmt::format("I4: job {} of queue {} is {} ten minutes after the last fault", key.second.value,
                         key.first.value, to_string(job.state)));
  }
  if (!pending_adds_.empty()) report("I4: an add has no reply ten minutes after the last fault");
}

/// I17: at rest nothing is held.
void Simulation::check_end() {
  pass(seconds(2));
  for (auto& host : hosts_) {
    auto stopped = host->worker->stop(seconds(1));
    for (int i = 0; i < 60 && !stopped.ready(); ++i) pass(kTick);
    if (!stopped.ready()) report("I17: a worker does not stop");
    const LedgerStatus status = host->ledger.status(host->clock.now());
    if (status.granted != Resources{} || status.booked != Resources{})
      report(fmt::format("I17: {} cores and {} bytes are granted at rest",
                         status.granted.cores + status.booked.cores,
                         status.granted.memory_bytes + status.booked.memory_bytes));
  }
}

}  // namespace gaur::simulation
