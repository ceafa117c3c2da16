#pragma once
// The writer thread. It executes the submitted calls in one transaction, commits, and then answers them on
// the executor. It owns the long polls and the other calls that wait.
// Thread-safety: submit() and stats() from any thread; everything else is confined to the writer thread.
#include <atomic>
#include <condition_variable>
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
  /// Executes the submitted calls, ends all waits with kStopping and joins the thread.
  ~Writer();

  void submit(std::unique_ptr<Operation> operation);
  void submit(std::unique_ptr<TakeCall> call);
  void submit(std::unique_ptr<WorkWait> wait);
  void submit(std::unique_ptr<EventWait> wait);
  EmbeddedStats stats() const;

 private:
  enum class Kind : std::uint8_t { kPlain, kTake, kWorkWait, kEventWait };
  struct Submitted {
    Kind kind;
    std::unique_ptr<Operation> operation;
  };
  template <class Waiting>
  using WaitList = std::list<std::unique_ptr<Waiting>>;

  void enqueue(Kind kind, std::unique_ptr<Operation> operation);
  void run();
  void fill_batch(std::vector<Submitted>& batch);
  void process(std::vector<Submitted>& batch);
  void execute(Submitted& submitted);
  void execute_take(std::unique_ptr<TakeCall> call);
  void commit();
  void skip_pause(Instant now);
  void fail(const Error& error);
  void answer();
  void observe_space();

  // writer_waits.cpp
  /// Moves the waits for which `ends` returns true to done_.
  template <class Waiting, class Ends>
  void end_if(WaitList<Waiting>& waits, Ends ends) {
    for (auto it = waits.begin(); it != waits.end();) {
      const auto here = it++;
      if (!ends(**here)) continue;
      done_.push_back(std::move(*here));
      waits.erase(here);
    }
  }
  std::optional<Instant> next_deadline() const;
  void end_expired_waits();
  void end_long_polls_of(const SessionName& session);
  void serve_long_polls();
  bool hand_off_to(TakeCall& call);
  void answer_waits();
  void reject_waits();
  std::uint64_t last_event(const QueueName& queue);

  LmdbEnv& env_;
  std::unique_ptr<Engine> engine_;
  SpaceGuard space_;
  /// As last logged.
  bool full_ = false, starts_blocked_ = false;
  /// When a full disk is examined again although nothing was submitted.
  Instant space_check_{};
  std::optional<Instant> blocked_logged_{};
  const Durability durability_;
  const Duration pause_;
  const Clock& clock_;
  Executor& completions_;
  Logger log_;
  std::function<void(const Error&)> on_fatal_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Submitted> submitted_;  // guarded by mutex_
  bool stopping_ = false;             // guarded by mutex_

  WaitList<TakeCall> long_polls_;  // oldest first
  WaitList<WorkWait> work_waits_;
  WaitList<EventWait> event_waits_;
  std::vector<Submitted> backlog_;                      // submitted calls above the limit of a batch
  std::vector<std::unique_ptr<Operation>> unfinished_;  // Operation::has_more()
  std::vector<std::unique_ptr<Operation>> done_;        // executed; answered after the commit
  const std::uint64_t max_pending_bytes_;
  std::atomic<std::uint64_t> pending_bytes_{0};  // of adds that are not in a batch yet
  std::optional<Error> failed_;                  // after a failed write the store acknowledges nothing
  Now now_;
  Instant seen_at_;  // when the writer last ran

  mutable std::mutex stats_mutex_;
  EmbeddedStats stats_;  // guarded by stats_mutex_
  std::thread thread_;   // last, because it uses all other members
};

}  // namespace gaur::embedded
