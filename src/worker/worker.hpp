#pragma once
// The worker: takes jobs from its queues as the admission allows, runs them, renews their locks, finishes
// them, sweeps. A thin shell that carries out what worker/machine.hpp decides.
//
// Loss and duplication: a job is run at least once. A finish whose reply is unknown is repeated under the
// same operation number until it is known; a run whose lock was lost is stopped and its result dropped, never
// stored.
#include <memory>
#include <optional>
#include <string>

#include "base/env.hpp"
#include "core/admission.hpp"
#include "core/run.hpp"
#include "core/store.hpp"
#include "gaur/future.hpp"
#include "worker/options.hpp"

namespace gaur {

/// Thread-safety: every member function from any thread; all work happens on env.loop, to which `admission`
/// is confined as well. Lifetimes: everything given to the constructor outlives the worker, except that a
/// handler with runs that have not ended must be destroyed before it. Destroy a worker after stop()'s future
/// is there, or on the loop's own thread (what it held is then left to the store's recovery).
class Worker {
 public:
  Worker(Env env, Transitions& store, Admission& admission, RunHandler& handler, WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Begins to take. Once.
  void start();
  /// Takes nothing more; what runs goes on. Idempotent.
  void quiet();
  /// Takes again after quiet(); nothing once it stops. Idempotent.
  void resume();
  /// Takes nothing from the queue and changes nothing in it until accept(); runs of it end as usual. Before
  /// or after start(); `why` is part of status() and explain().
  void refuse(const QueueName& queue, std::string why);
  void accept(const QueueName& queue);
  /// Quiet, then up to `patience` for the runs to end; then they are stopped and their jobs go back
  /// uncounted, with a line in their logs. A second call ends the patience at once. The future comes when
  /// every finish is stored (or flush_grace is over).
  Future<StopReport> stop(Duration patience);

  Future<WorkerStatus> status() const;
  /// Fills in what worker and admission know of why a job waits.
  Future<WaitFacts> explain(WaitFacts facts) const;

 private:
  struct Impl;
  std::shared_ptr<Impl>
      impl_;  // shared with completions that are still under way when the worker is destroyed
};

}  // namespace gaur
