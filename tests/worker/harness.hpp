#pragma once
// A worker on virtual time, with the model store, a ledger and scripted runs.
// Thread-safety: confined to one thread.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "admission/ledger.hpp"
#include "base/manual_env.hpp"
#include "model/model_store.hpp"
#include "worker/worker.hpp"

namespace gaur {

constexpr std::uint64_t kGB = 1'000'000'000;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// How a run behaves, and how it reacts to a stop.
struct Script {
  Duration takes{100};
  RunEnd end = run::Completed{"1"};
  /// Negative: ignores the stop.
  Duration ends_after_stop{5};
  std::function<void(RunObserver&, const LockToken&)> at_start{};
};

class ScriptedRuns final : public RunHandler {
 public:
  explicit ScriptedRuns(ManualEnv& env) : env_(env) {}

  std::function<Script(const RunRequest&)> script = [](const RunRequest&) { return Script{}; };
  struct Started {
    RunRequest request;
    Instant since{};
    RunObserver* observer = nullptr;
    Duration ends_after_stop{0};
    std::optional<StopReason> stopped{};
  };
  std::map<LockToken, Started> running;
  /// All, in order.
  std::vector<Started> started;
  /// All, in order.
  std::vector<StopReason> stops;
  std::size_t most_running = 0;

  void start(RunRequest request, RunObserver& observer) override {
    const LockToken token = request.taken.token;
    EXPECT_FALSE(running.contains(token)) << "two runs with one token";
    const Script plan = script(request);
    Started run{std::move(request), env_.clock.now(), &observer, plan.ends_after_stop};
    started.push_back(run);
    running.emplace(token, std::move(run));
    most_running = std::max(most_running, running.size());
    if (plan.at_start) plan.at_start(observer, token);
    env_.loop.post_at(env_.clock.now() + plan.takes, [this, token, end = plan.end] { finish(token, end); });
  }
  void stop(const LockToken& token, StopReason reason, std::string who, std::string why) override {
    const auto found = running.find(token);
    if (found == running.end()) return;
    stops.push_back(reason);
    found->second.stopped = reason;
    if (found->second.ends_after_stop < Duration{0}) return;
    const RunEnd end =
        reason == StopReason::kCancel ? RunEnd(run::Cancelled{who, why}) : RunEnd(run::Interrupted{why});
    env_.loop.post_at(env_.clock.now() + found->second.ends_after_stop,
                      [this, token, end] { finish(token, end); });
  }
  void finish(const LockToken& token, RunEnd end) {
    const auto found = running.find(token);
    if (found == running.end()) return;
    RunObserver& observer = *found->second.observer;
    const auto wall =
        std::chrono::duration_cast<std::chrono::microseconds>(env_.clock.now() - found->second.since);
    running.erase(found);
    observer.on_end(token, std::move(end), {.wall_us = static_cast<std::uint64_t>(wall.count()) + 1});
  }
  std::size_t running_of(const std::string& function) const {
    return static_cast<std::size_t>(std::count_if(running.begin(), running.end(), [&](const auto& entry) {
      return entry.second.request.taken.function.value == function;
    }));
  }

 private:
  ManualEnv& env_;
};

inline const QueueName kQueue{"query"};

inline LedgerOptions small_machine() {
  LedgerOptions options;
  options.capacity = {4, 8 * kGB};
  options.slots = 4;
  options.queues = {{.name = kQueue, .take_unknown = true}};
  return options;
}

inline WorkerOptions plain_worker(std::string name = "w1") {
  WorkerOptions options;
  options.name = std::move(name);
  options.queues = {kQueue};
  options.hand_off = true;
  return options;
}

/// All parts, connected. Change the options before `start()`.
struct World {
  explicit World(std::uint64_t seed = 1) : env(seed) {}

  ManualEnv env;
  ModelStore store{env.clock, env.loop};
  /// Used by the worker; may wrap the store.
  Transitions* transitions = &store;
  LedgerOptions ledger_options = small_machine();
  WorkerOptions worker_options = plain_worker();
  ScriptedRuns runs{env};
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Worker> worker;
  std::vector<RunReport> reports;
  std::vector<std::string> log_lines;
  std::vector<QueueName> refused_at_start;

  void start() {
    worker_options.events.on_end = [this](const RunReport& report) { reports.push_back(report); };
    worker_options.events.on_log = [this](WorkerEvents::Level, const std::string& line) {
      log_lines.push_back(line);
    };
    ledger = std::make_unique<Ledger>(ledger_options);
    worker = std::make_unique<Worker>(env.env, *transitions, *ledger, runs, worker_options);
    for (const QueueName& queue : refused_at_start) worker->refuse(queue, "refused");
    worker->start();
    env.loop.run_ready();
  }

  template <class T>
  T await(Future<T> future, Duration at_most = seconds(120)) {
    const Instant end = env.clock.now() + at_most;
    env.loop.run_ready();
    while (!future.ready() && env.clock.now() < end) env.loop.run_for(Duration(1));
    EXPECT_TRUE(future.ready()) << "no reply in time";
    return std::move(future).get();
  }
  template <class T>
  T value(Async<T> future) {
    Result<T> result = await(std::move(future));
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return *std::move(result);
  }

  JobId add(std::string name = "f", JobOptions options = {}, QueueName queue = kQueue) {
    AddRequest request;
    request.queue = std::move(queue);
    request.jobs = {{.name = std::move(name), .data = "{}", .options = std::move(options)}};
    return value(store.add(std::move(request))).front().id;
  }
  /// Starts the worker, adds one job, whose run does what `script` says, and passes the time.
  JobId start_one(Script script, Duration time) {
    runs.script = [script = std::move(script)](const RunRequest&) { return script; };
    start();
    JobId id = add();
    pass(time);
    return id;
  }
  Job job(const JobId& id, const QueueName& queue = kQueue) { return value(store.get({queue, id})); }
  Counts counts(const QueueName& queue = kQueue) { return value(store.counts(queue)); }
  WorkerStatus status() { return await(worker->status()); }
  std::vector<std::string> logs(const JobId& id) { return value(store.logs({kQueue, id}, 0, 1000)).lines; }
  void pass(Duration time) { env.loop.run_for(time); }
};

}  // namespace gaur
