#pragma once
// wait_for_work: hears what peers and other hosts publish about the queues that somebody waits for. A hint,
// never the only path: the sweep finds what it missed, a lost subscription hints at every queue, each wait
// has its deadline. Thread-safety: that of Store.
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "bull/finish_and_take.hpp"
#include "bull/shared.hpp"

namespace gaur::bull {

class WakeUps {
 public:
  WakeUps(SharedPtr shared, std::shared_ptr<TakeMemory> memory);
  ~WakeUps();
  WakeUps(const WakeUps&) = delete;
  WakeUps& operator=(const WakeUps&) = delete;

  Async<WorkReply> wait_for_work(WorkRequest request);
  /// Answers the waits for a queue that has something to take; may be called when this is gone.
  std::function<void(const QueueName&)> hinter();

 private:
  class Board;
  std::shared_ptr<Board> board_;
};

}  // namespace gaur::bull
