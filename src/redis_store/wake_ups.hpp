#pragma once
// wait_for_work: answers when the dialect's source reports work for a queue. A hint only: recovery finds what
// it missed, a lost connection hints at every queue, and each wait has its deadline. Thread-safety: that of
// Store.
#include "redis_store/store_context.hpp"
#include "redis_store/take_memory.hpp"

namespace gaur::redis_store {

class WakeUps {
 public:
  WakeUps(ContextPtr context, std::shared_ptr<TakeMemory> memory);
  ~WakeUps();
  WakeUps(const WakeUps&) = delete;
  WakeUps& operator=(const WakeUps&) = delete;

  Async<WorkReply> wait_for_work(WorkRequest request);
  /// Answers the waits for a queue that has a job to take; may be called after this object is gone.
  std::function<void(const QueueName&)> hinter();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // sources and timers hold it weakly
};

}  // namespace gaur::redis_store
