#pragma once
// Waits for jobs to finish without polling: one event reader for each queue with waits.
//
// No finish is missed: the reader takes the queue's cursor first, then reads the job, then reads events after
// that cursor. A wait that begins while the reader is active reads its job after it was registered, so either
// that read or a later event reports the finish. After a gap in the event log every job is read again.
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>

#include "base/env.hpp"
#include "core/store.hpp"

namespace gaur {

/// Thread-safety: any thread. Futures are fulfilled on the store's executor or on env.loop.
class Waits : public std::enable_shared_from_this<Waits> {
 public:
  Waits(Store& store, Env env, std::size_t capacity) : store_(store), env_(env), capacity_(capacity) {}

  /// A cursor of the queue's events, not newer than now. Needs no request to the store while a wait is active
  /// there.
  Async<std::string> cursor(QueueName queue);
  /// `since` ("" or from cursor()): a job that no longer exists is searched for in the events after it.
  /// `cancel` ends the wait at once with kDisconnected.
  Async<Job> wait(JobRef job, Duration at_most, std::string since, std::stop_token cancel = {});
  /// Fails all waits with kStopping, also later ones.
  void stop();
  std::size_t size() const;

 private:
  struct Waiter {
    JobRef job;
    Promise<Result<Job>> promise;
    Loop::TimerId timer = 0;
    std::string since;
    /// The job as read when the wait began; shared because it may be large.
    std::shared_ptr<const Job> last;
    using OnCancel = std::stop_callback<std::function<void()>>;
    /// Shared because find() copies a waiter. Not destroyed under the mutex: that waits for the callback.
    std::shared_ptr<const OnCancel> on_cancel;
  };
  using WaiterId = std::uint64_t;
  struct Queue {
    /// Of the reader.
    std::string cursor;
    /// An events() call, or the pause before the next try, is under way.
    bool reading = false;
    /// `cursor` is valid: waits that begin now read their jobs by themselves.
    bool listening = false;
    std::multimap<JobId, WaiterId> by_job;
  };

  void arm(WaiterId id, Duration at_most, std::stop_token cancel);
  void read_job(WaiterId id, bool last_look, std::optional<Event> end);
  void on_job(WaiterId id, bool last_look, const std::optional<Event>& end, Result<Job> answer);
  void search(WaiterId id, std::string cursor, int pages_left);
  void open(const QueueName& name);
  void listen(const QueueName& name);
  void on_opened(const QueueName& name, Result<EventPage> page);
  void on_events(const QueueName& name, Result<EventPage> page);
  void try_again_later(const QueueName& name);
  void read_all(const QueueName& name);
  void finish(WaiterId id, Result<Job> answer);
  std::optional<Waiter> find(WaiterId id) const;

  Store& store_;
  Env env_;
  const std::size_t capacity_;
  mutable std::mutex
      mutex_;  // guards what follows; never held over a call into the store, the loop or a promise
  bool stopped_ = false;
  WaiterId last_id_ = 0;
  std::map<WaiterId, Waiter> waiters_;
  std::map<QueueName, Queue> queues_;
};

}  // namespace gaur
