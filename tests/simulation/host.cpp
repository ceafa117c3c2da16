#include "host.hpp"

#include <fmt/format.h>

namespace gaur::simulation {

namespace {
constexpr std::uint64_t kGB = 1'000'000'000;

WorkerOptions worker_options(const HostPlan& plan) {
  WorkerOptions options;
  options.name = plan.name;
  options.queues = plan.queues;
  options.hand_off = plan.embedded;
  options.default_policy.keep_completed = {.count = 8};
  options.default_policy.keep_failed = {.count = 8};
  return options;
}
}  // namespace

LedgerOptions ledger_options(const std::vector<QueueName>& queues, bool embedded) {
  LedgerOptions options;
  options.capacity = {4, 8 * kGB};
  options.slots = 4;
  options.takes_in_flight = embedded ? 1 : 2;
  for (const QueueName& queue : queues) options.queues.push_back({.name = queue});
  options.queues.front().order = QueueOrder::kFifo;
  options.functions[FunctionName("small")] = {.cores = 1, .memory_bytes = kGB};
  options.functions[FunctionName("long")] = {.cores = 1, .memory_bytes = kGB};
  options.functions[FunctionName("big")] = {.cores = 3, .memory_bytes = 6 * kGB};
  options.functions[FunctionName("limited")] = {
      .cores = 0.5, .memory_bytes = kGB / 2, .max_running = kMostLimited};
  return options;
}

// ---- runs ------------------------------------------------------------------------------------

RunEnd SimulatedRuns::random_end(const RunRequest& request) {
  switch (random_.below(14)) {
    case 0: return run::Failed{{.message = "no"}, false};
    case 1: return run::Failed{{.message = "never"}, true};
    case 2: return run::Snooze{Duration(static_cast<std::int64_t>(random_.below(3'000))), "not yet"};
    case 3: return run::TimedOut{std::chrono::seconds(1)};
    case 4: return run::OutOfMemory{1, 2};
    case 5: return run::Crashed{11, 0, "", ""};
    case 6: return run::Interrupted{"recycled"};
    default: return run::Completed{fmt::format("\"{}\"", request.taken.token.value)};
  }
}

void SimulatedRuns::start(RunRequest request, RunObserver& observer) {
  const LockToken token = request.taken.token;
  if (running_.contains(token)) violations.push_back("I7: two runs with the token " + token.value);
  Run run{{request.taken.job.queue, request.taken.job.id}, request.taken.function, clock_.now(), &observer};
  run.ignores_stop = random_.below(20) == 0;
  running_[token] = run;
  const bool is_long = request.taken.function.value == "long";
  const Duration takes(static_cast<std::int64_t>(1 + random_.below(is_long ? 40'000 : 800)));
  const RunEnd how = random_end(request);
  loop_.post_at(clock_.now() + takes, [this, token, how] { end(token, how); });
  if (random_.below(8) == 0) observer.on_progress(token, "50");
  if (random_.below(8) == 0) observer.on_log(token, "a line");
  if (mutant_ == Mutant::kStartedTwice && random_.below(50) == 0) start(std::move(request), observer);
}

void SimulatedRuns::stop(const LockToken& token, StopReason reason, std::string who, std::string why) {
  const auto found = running_.find(token);
  if (found == running_.end()) return;
  if (mutant_ == Mutant::kLostLockIgnored && reason == StopReason::kLockLost) return;
  if (mutant_ == Mutant::kCancelIgnored && reason == StopReason::kCancel) return;
  found->second.stopped = reason;
  if (found->second.ignores_stop) return;
  const RunEnd how = reason == StopReason::kCancel ? RunEnd(run::Cancelled{std::move(who), std::move(why)})
                                                   : RunEnd(run::Interrupted{std::move(why)});
  loop_.post_at(clock_.now() + Duration(static_cast<std::int64_t>(random_.below(50))),
                [this, token, how] { end(token, how); });
}

void SimulatedRuns::end(const LockToken& token, RunEnd how) {
  const auto found = running_.find(token);
  if (found == running_.end()) return;
  RunObserver& observer = *found->second.observer;
  const auto wall = std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - found->second.since);
  running_.erase(found);
  observer.on_end(token, std::move(how), {.wall_us = static_cast<std::uint64_t>(wall.count()) + 1});
}

void SimulatedRuns::crash_one() {
  if (running_.empty()) return;
  auto chosen = running_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(running_.size())));
  end(LockToken(chosen->first), run::Crashed{9, 0, "", ""});
}

// ---- host ------------------------------------------------------------------------------------

Host::Host(const HostPlan& plan, Transitions& store, ManualEnv& outside, const Faults& faults)
    : loop(outside.loop),
      clock(outside.clock, plan.skew),
      network(store, loop, outside, plan.mutant),
      runs(loop, clock, outside.random, plan.mutant),
      ledger(ledger_options(plan.queues, plan.embedded)),
      admission(ledger, plan.mutant),
      started(outside.clock.now()) {
  if (!plan.embedded) network.faults = faults;
  worker = std::make_unique<Worker>(Env{clock, outside.random, loop}, network, admission, runs,
                                    worker_options(plan));
  worker->start();
}

void Host::kill() {
  loop.kill();
  worker.reset();
}

void Host::check(std::vector<std::string>& violations) {
  const LedgerStatus now = ledger.status(clock.now());
  const auto exceeds = [&](double cores, std::uint64_t memory) {
    return cores > now.capacity.cores + 1e-6 || memory > now.capacity.memory_bytes;
  };
  if (exceeds(now.granted.cores + now.booked.cores, now.granted.memory_bytes + now.booked.memory_bytes))
    violations.push_back("I15: granted and booked resources exceed the capacity");
  Resources used;
  std::uint32_t limited = 0;
  for (const auto& [token, run] : runs.running()) {
    const auto needs = ledger.needs_of(run.function).value_or(Needs{});
    used.cores += needs.cores;
    used.memory_bytes += needs.memory_bytes;
    limited += run.function.value == "limited" ? 1 : 0;
  }
  if (exceeds(used.cores, used.memory_bytes))
    violations.push_back(fmt::format("I15: runs use {} cores and {} bytes", used.cores, used.memory_bytes));
  if (limited > kMostLimited) violations.push_back(fmt::format("I15: {} runs of limited", limited));
  for (std::string& text : std::exchange(runs.violations, {})) violations.push_back(std::move(text));
}

}  // namespace gaur::simulation
