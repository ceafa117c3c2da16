#pragma once
// The worker: takes jobs from its queues as admission allows, runs them, renews their locks, stores their
// outcomes and recovers stalled jobs. It performs the actions of worker/machine.hpp.
//
// Delivery: a job runs at least once. A finish whose outcome is unknown is sent again under the same
// operation id until the store replies. A run whose lock was lost is stopped and its result is dropped.
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

/// Thread-safety: every method from any thread; all work is done on env.loop, to which `admission` is
/// confined as well. Lifetimes: the constructor's arguments outlive the worker, except that a handler with
/// active runs must be destroyed before it. Destroy a worker after the future of stop() is fulfilled, or on
/// the loop's own thread; the store then recovers its jobs as stalled.
class Worker {
 public:
  Worker(Env env, Transitions& store, Admission& admission, RunHandler& handler, WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Starts taking jobs. Called once.
  void start();
  /// Takes no more jobs; active runs continue. Idempotent.
  void quiet();
  /// Takes jobs again after quiet(); no effect after stop(). Idempotent.
  void resume();
  /// Takes nothing from the queue and changes nothing in it until accept(); its runs continue. Before or
  /// after start(). `why` is part of status() and explain().
  void refuse(const QueueName& queue, std::string why);
  void accept(const QueueName& queue);
  /// Takes no more jobs and waits up to `patience` for the runs to end. Then it stops them and requeues their
  /// jobs with a line in their logs; that is not counted as an attempt. A second call ends the wait at once.
  /// The future is fulfilled when every finish is stored, or flush_grace has passed.
  Future<StopReport> stop(Duration patience);

  Future<WorkerStatus> status() const;
  /// Sets the fields of `facts` that worker and admission know.
  Future<WaitFacts> explain(WaitFacts facts) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with calls that are pending when the worker is destroyed
};

}  // namespace gaur
