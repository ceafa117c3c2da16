#pragma once
// Waiting for the ends of jobs without polling: one event reader for each queue in which somebody waits.
//
// Nothing can slip between looking and listening: the queue's cursor is taken first, then the job is read,
// and only then are events after that cursor awaited. A wait that begins while the reader runs reads its job
// after it was registered, so an end is seen either by that read or by a later event. Where the event log was
// trimmed under us (a gap), every job is read again.
#include <map>
#include <memory>
#include <mutex>

#include "base/env.hpp"
#include "core/store.hpp"

namespace gaur {

/// Thread-safety: any thread. Answers come on the store's executor or on env.loop.
class Waits : public std::enable_shared_from_this<Waits> {
 public:
  Waits(Store& store, Env env, std::size_t capacity) : store_(store), env_(env), capacity_(capacity) {}

  /// A cursor of the queue's events, not newer than now. Costs nothing while somebody waits in that queue.
  Async<std::string> cursor(QueueName queue);
  /// `since` ("" or from cursor()): a job that is gone already is looked for among the events after it.
  Async<Job> wait(JobRef job, Duration at_most, std::string since);
  /// Answers all with kStopping, now and from now on.
  void stop();
  std::size_t size() const;

 private:
  struct Waiter {
    JobRef job;
    Promise<Result<Job>> promise;
    Loop::TimerId timer = 0;
    std::string since;
    std::shared_ptr<const Job> last;  ///< as read when the wait began; shared, for it may hold a megabyte
  };
  using WaiterId = std::uint64_t;
  struct Queue {
    std::string cursor;      ///< where the reader stands
    bool reading = false;    ///< an events() call, or the pause before the next try, is under way
    bool listening = false;  ///< `cursor` is valid: waits that begin now read their jobs by themselves
    std::multimap<JobId, WaiterId> by_job;
  };

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
