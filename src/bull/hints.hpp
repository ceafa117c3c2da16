#pragma once
// wait_for_work: hears what peers and other hosts publish about the queues that somebody waits for. A hint,
// never the only path: the sweep finds what it missed, a lost subscription hints at every queue, each wait
// has its deadline. Thread-safety: that of Store.
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "bull/shared.hpp"
#include "bull/turning.hpp"

namespace gaur::bull {

class Hints {
 public:
  Hints(SharedPtr shared, std::shared_ptr<TurnMemory> memory);
  ~Hints();
  Hints(const Hints&) = delete;
  Hints& operator=(const Hints&) = delete;

  Async<WorkReply> wait_for_work(WorkRequest request);
  /// Answers the waits for a queue that has something to take; may be called when this is gone.
  std::function<void(const QueueName&)> hinter();

 private:
  class Board;
  std::shared_ptr<Board> board_;
};

}  // namespace gaur::bull
