#pragma once
// The state machine of a worker: it receives events and returns actions. It has no thread, clock or store;
// worker.cpp performs the actions and returns their results as events, and a simulation may do so in any
// order.
//
// Invariants, asserted by the tests:
//  - one take request is in flight per session; a queue has one session, or two without long polls
//  - at most one long poll exists; one more request may follow it and ends it
//  - a finish is kept until the store replies, under one operation id, and sent again while its outcome is
//  unknown
//  - a run is identified by its lock token, not by its job: a previous run of a job changes nothing
//  - no job is taken from a queue until the jobs of this worker's previous process have been requeued
//  - resources are freed when the run ends, before its finish is stored; its lock is renewed until that is
//  stored
// Files: machine.cpp (take requests), machine_finishes.cpp (finishes), machine_runs.cpp (runs, progress,
// logs), machine_locks.cpp (lock renewal, recovery, wake-ups), machine_stop.cpp (stop, status).
// Thread-safety: confined to the worker's loop.
#include <unordered_map>

#include "base/env.hpp"
#include "worker/machine_events.hpp"
#include "worker/options.hpp"
#include "worker/outcomes.hpp"
#include "worker/queue_state.hpp"

namespace gaur::worker {

struct Now {
  Instant instant{};
  Time wall{};
};

class Machine {
 public:
  Machine(WorkerOptions options, Admission& admission, Random& random);

  /// Handles the events in order and appends the resulting actions, which must be performed in order.
  void resume(std::vector<Input> events, Now now, std::vector<Action>& actions);
  /// When to call resume() with a Tick at the latest.
  Instant wake_at() const;
  WorkerStatus status(Now now) const;
  /// Sets WaitFacts::host and the rate limit of the queue.
  void explain(WaitFacts& facts, Now now) const;
  WorkerPhase phase() const { return phase_; }

 private:
  struct Run {
    /// Without its data.
    Job job;
    LockToken token;
    FunctionName function;
    Grant grant;
    std::optional<Duration> timeout;
    Instant since{};
    Time since_wall{};
    Duration waited{0};
    /// Its finish waits or is in flight.
    bool ended = false;
    /// Its lock was lost: the result will be dropped.
    bool lost = false;
    bool host_stops = false;
    std::optional<run::Cancelled> cancel;
    std::string lost_why;
    /// Of an ended run.
    Decision decision;
    /// Its finish was rejected: the job fails instead.
    bool replaced = false;
    Usage usage;

    std::optional<std::string> progress;
    Instant progress_after{};
    std::vector<std::string> lines;
    Instant lines_after{};
    std::uint64_t dropped_lines = 0;
    /// Listed in dirty_.
    bool dirty = false;
  };

  // machine.cpp: take requests
  void on(event::Begin&);
  void on(event::Tick&) {}
  void on(event::TakeEnded& event);
  void send_requests();
  void request_jobs(QueueState& state, StoreSession& session);
  bool wants_jobs(const QueueState& state) const;
  std::optional<Booking> book_if_useful(QueueState& state);
  void send_take(QueueState& state, StoreSession& session, std::optional<Booking> booking,
                 Duration long_poll = Duration{0});
  void start_long_poll();
  void end_long_poll_if_needed();
  bool all_idle() const;
  void on_take_reply(QueueState& state, PendingTake sent, TakeReply reply, bool was_long_poll);
  void on_take_error(QueueState& state, StoreSession& session, std::optional<PendingTake>& pending,
                     const Error& error);
  void on_unusable_queue(QueueState& state, PendingTake sent);
  void on_take_rejected(QueueState& state, StoreSession& session, PendingTake sent, const Error& error);
  void release_booking(const PendingTake& sent, const QueueState& state);
  bool taking() const { return phase_ == WorkerPhase::kRunning && options_.take; }
  void update_queue(QueueState& state, const PendingTake& sent, const TakeReply& reply);
  void repeat_takes();
  QueueState* state_of(const QueueName& queue);

  // machine_finishes.cpp: finishes
  std::size_t finishes_to_send(const QueueState& state) const;
  void move_finishes(QueueState& state, TakeRequest& request);
  void on_finish_result(QueueState& state, const Finish& finish, const Result<FinishResult>& result);
  void fail_rejected(QueueState& state, Finish finish, const Error& error);
  void drop_result(Run& run, const std::string& why);
  void report(const Run& run, std::string outcome) const;
  void count(const Run& run, const std::string& outcome);

  // machine_runs.cpp: runs
  void on(event::RunEnded& event);
  void on(event::Progress& event);
  void on(event::Log& event);
  void on(event::NotStored& event);
  void start_run(Taken taken);
  void end_run(Run& run, RunEnd how, Usage usage, bool ran);
  void cancel(const CancelRequest& request);
  void lose_lock(Run& run, std::string why);
  void stop_previous_run(const Job& job);
  void stop_run(Run& run, StopReason reason, std::string who, std::string why);
  void mark_dirty(Run& run);
  void flush(Run& run, bool all);
  void flush_dirty();
  void log_to_job(Run& run, std::string line);
  RunningJob describe(const Run& run) const;

  // machine_locks.cpp: lock renewal, recovery, wake-ups
  void on(event::Extended& event);
  void on(event::ReclaimEnded& event);
  void on(event::RecoverEnded& event);
  void on(event::WakeEnded& event);
  void on(event::WaitEnded& event);
  void renew();
  void reclaim();
  void recover_and_wake();
  void log_unlocked(QueueState& state, const std::vector<UnlockedJob>& unlocked);
  void wake_due();
  void wait_for_work();

  // machine_stop.cpp: stop, status
  void on(event::Quiet&);
  void on(event::Resume&);
  void on(event::Refuse& event);
  void on(event::Accept& event);
  void on(event::Stop& event);
  void continue_stop();
  void stop_runs();
  void abandon_runs();
  void log(WorkerEvents::Level level, const std::string& line) const;
  void log_store_error(const std::string& operation, const Error& error);
  template <class A>
  void act(A action) {
    actions_->push_back(std::move(action));
  }

  const WorkerOptions options_;
  Admission& admission_;
  Random& random_;
  Now now_{};
  std::vector<Action>* actions_ = nullptr;  // only during resume()

  WorkerPhase phase_ = WorkerPhase::kNew;
  std::map<QueueName, QueueState> states_;
  std::vector<QueueName> queues_;
  std::unordered_map<LockToken, Run> runs_;
  std::vector<LockToken> dirty_;  // runs with progress or log lines to store
  QueueName last_active_;
  WorkerCounters counters_;
  struct ReportedError {
    Errc code = Errc::kInternal;
    Instant at{};
    std::uint64_t suppressed = 0;  // since it was last logged
  };
  std::map<std::string, ReportedError>
      reported_errors_;  // by operation; an unreachable store must not flood the log

  Instant renew_at_{}, check_at_{}, recover_at_{}, wait_at_{}, wait_sent_{};
  bool waiting_ = false;
  Instant stop_at_{}, abandon_at_{}, give_up_at_{};
  bool runs_stopped_ = false;
  StopReport stop_report_;
};

}  // namespace gaur::worker
