#pragma once
// The worker's loop without its I/O: events in, actions out. It owns no thread, reads no clock, touches no
// store; the shell (worker.cpp) carries the actions out and brings their answers back as events, a simulation
// may do so in any order that the seams allow.
//
// What always holds, and is asserted by the tests:
//  - one turn in flight a lane of the store's, and a queue has one lane, or two where turns are not parked
//  (behind a parked turn one more may be sent to end it); at most one parked turn;
//  - a finish is kept until the store answered it, under one operation number, sent again as long as its
//  outcome is unknown;
//  - a run is known by its token, never by its job: an old run of a job that runs again changes nothing;
//  - nothing is taken from a queue before what an earlier life of this worker held there was given back;
//  - room is released when the run has ended, not when its finish is stored; a lock is renewed until its
//  finish is answered.
// Files: machine.cpp (turns), machine_runs.cpp (runs, progress, logs), machine_duties.cpp (renewal, sweep,
// stop). Thread-safety: confined to the worker's loop.
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

  /// Takes in what happened, in order, then decides. Actions are to be carried out in their order.
  void resume(std::vector<Input> events, Now now, std::vector<Action>& actions);
  /// When to resume with a Tick at the latest.
  Instant wake_at() const;
  WorkerStatus status(Now now) const;
  /// Fills in what this host does with jobs, and the rate limit of the queue.
  void explain(WaitFacts& facts, Now now) const;
  WorkerPhase phase() const { return phase_; }

 private:
  struct Run {
    Job job;  ///< without its data
    LockToken token;
    FunctionName function;
    Grant grant;
    std::optional<Duration> timeout;
    Instant since{};
    Time since_wall{};
    Duration waited{0};
    bool ended = false;  ///< its finish is gathered or on its way
    bool lost = false;   ///< its lock is gone: the result will be dropped
    bool host_stops = false;
    std::optional<run::Cancelled> cancel;
    std::string lost_why;
    Decision decision;      ///< once ended
    bool replaced = false;  ///< its finish was refused: the job fails instead
    Usage usage;

    std::optional<std::string> progress;
    Instant progress_after{};
    std::vector<std::string> lines;
    Instant lines_after{};
    std::uint64_t dropped_lines = 0;
    bool dirty = false;  ///< stands in dirty_
  };

  // machine.cpp: turns
  void on(event::Begin&);
  void on(event::Tick&) {}
  void on(event::TakeEnded& event);
  void pump();
  void ask(QueueState& state, StoreSession& session);
  std::size_t share(const QueueState& state) const;
  bool wants(const QueueState& state) const;
  std::optional<Booking> useful_offer(QueueState& state);
  void send(QueueState& state, StoreSession& session, std::optional<Booking> offer,
            Duration park = Duration{0});
  void park_one();
  bool all_idle() const;
  void turn_succeeded(QueueState& state, Sent sent, TakeReply reply, bool was_parked);
  void turn_failed(QueueState& state, StoreSession& session, std::optional<Sent>& place, const Error& error);
  void turn_broken(QueueState& state, Sent sent);
  void turn_refused(QueueState& state, StoreSession& session, Sent sent, const Error& error);
  void replace(QueueState& state, Finish finish, const Error& error);
  void settle_nothing(const Sent& sent, const QueueState& state);
  void unpark_if_wanted();
  bool taking() const { return phase_ == WorkerPhase::kRunning && options_.take; }
  void learn(QueueState& state, const Sent& sent, const TakeReply& reply);
  void repeat_turns();
  QueueState* state_of(const QueueName& queue);

  // machine_runs.cpp: runs
  void on(event::RunEnded& event);
  void on(event::Progress& event);
  void on(event::Log& event);
  void on(event::NotStored& event);
  void take(Taken taken);
  void end(Run& run, RunEnd how, Usage usage, bool ran);
  void finished(QueueState& state, const Finish& finish, const Result<FinishResult>& moved);
  void drop(Run& run, const std::string& why);
  void cancel(const CancelRequest& request);
  void lose(Run& run, std::string why);
  void stop_run(Run& run, StopReason reason, std::string who, std::string why);
  void report(const Run& run, std::string outcome) const;
  void count(const Run& run, const std::string& outcome);
  void touch(Run& run);
  void flush(Run& run, bool all);
  void flush_dirty();
  void log_to_job(Run& run, std::string line);
  RunningJob describe(const Run& run) const;

  // machine_duties.cpp: renewal, sweep, waiting, stop
  void on(event::Quiet&);
  void on(event::Resume&);
  void on(event::Refuse& event);
  void on(event::Accept& event);
  void on(event::ReclaimEnded& event);
  void on(event::Stop& event);
  void on(event::Extended& event);
  void on(event::RecoverEnded& event);
  void on(event::WakeEnded& event);
  void on(event::WaitEnded& event);
  void renew();
  void lose_earlier_run(const Job& job);
  void reclaim();
  void sweep();
  void report_unlocked(QueueState& state, const std::vector<UnlockedJob>& left);
  void wake_due();
  void keep_waiting();
  void go_on_stopping();
  void tell_runs_to_stop();
  void abandon_runs();

  void note(WorkerEvents::Level level, const std::string& line) const;
  void store_error(const std::string& verb, const Error& error);
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
  std::vector<LockToken> dirty_;  // runs with progress or lines that wait for their time
  QueueName last_active_;
  WorkerCounters counters_;
  struct ReportedError {
    Errc code = Errc::kInternal;
    Instant at{};
    std::uint64_t again = 0;  // since it was told
  };
  std::map<std::string, ReportedError>
      reported_errors_;  // by verb: a store that is away must not fill the log

  Instant renew_at_{}, check_at_{}, sweep_at_{}, wait_again_at_{}, wait_sent_{};
  bool waiting_ = false;
  Instant stop_at_{}, give_back_at_{}, give_up_at_{};
  bool told_to_stop_ = false;
  StopReport stop_report_;
};

}  // namespace gaur::worker
