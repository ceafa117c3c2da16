#pragma once
// The one thread that writes: takes the calls that have gathered, carries them out in one transaction,
// commits, then answers them all on the executor. Parked turns and everybody else who waits belong to it.
// Thread-safety: submit() and stats() from any thread; all else is the writer's.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

#include "base/env.hpp"
#include "base/log.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/operation.hpp"
#include "embedded/space_guard.hpp"

namespace gaur::embedded {

class Writer {
 public:
  Writer(LmdbEnv& env, std::unique_ptr<Engine> engine, const EmbeddedOptions& options, const Clock& clock,
         Executor& completions);
  /// Carries out what was sent, ends all waits with kStopping, joins.
  ~Writer();

  void submit(std::unique_ptr<Operation> operation);
  void submit(std::unique_ptr<TakeCall> turn);
  void submit(std::unique_ptr<WorkCall> work);
  void submit(std::unique_ptr<FollowCall> follow);
  EmbeddedStats stats() const;

 private:
  enum class Kind : std::uint8_t { kPlain, kTurn, kWork, kFollow };
  struct Sent {
    Kind kind;
    std::unique_ptr<Operation> operation;
  };

  void send(Kind kind, std::unique_ptr<Operation> operation);
  void run();
  void gather(std::vector<Sent>& batch);
  void process(std::vector<Sent>& batch);
  void carry_out(Sent& sent);
  void run_turn(std::unique_ptr<TakeCall> call);
  void serve_parked();
  bool serve(TakeCall& call);
  void end_parked_of(const SessionName& session);
  void end_waits();
  void serve_waits();
  void commit();
  void fail(const Error& error);
  void answer();
  void stop_waits();
  std::optional<Instant> next_deadline() const;
  std::uint64_t last_event(const QueueName& queue);

  LmdbEnv& env_;
  std::unique_ptr<Engine> engine_;
  SpaceGuard space_;
  const Durability durability_;
  const Clock& clock_;
  Executor& completions_;
  Logger log_;
  std::function<void(const Error&)> on_fatal_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Sent> sent_;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_

  std::list<std::unique_ptr<TakeCall>> parked_;  // longest parked first
  std::list<std::unique_ptr<WorkCall>> waiting_;
  std::list<std::unique_ptr<FollowCall>> following_;
  std::vector<std::unique_ptr<Operation>> done_;   // of this transaction: answered after its commit
  std::vector<std::unique_ptr<Operation>> again_;  // left work for another transaction
  std::vector<Sent> carried_;
  const std::uint64_t most_pending_bytes_;
  std::atomic<std::uint64_t> pending_bytes_{0};  // of adds that were sent and not gathered yet
  std::optional<Error> failed_;                  // a sync failed: nothing is acknowledged any more
  Now now_;

  mutable std::mutex stats_mutex_;
  EmbeddedStats stats_;  // guarded by stats_mutex_
  std::thread thread_;   // last: it uses all of the above
};

}  // namespace gaur::embedded
