#pragma once
// Signals and other threads' news as one thing that the main thread can wait for. Thread-safety: notify()
// from any thread; everything else on the main thread.
#include <array>

#include "gaur/result.hpp"

namespace gaur::app {

class Signals {
 public:
  /// Blocks TERM, INT and HUP for this thread and all that it starts from now on, and ignores PIPE: construct
  /// it before any thread. Children that must be stoppable unblock them again (the runner's spawn does).
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  enum class News { kStop, kNotified };
  /// Blocks until TERM or INT came, or until somebody called notify(). HUP is ignored.
  News wait();
  void notify();

 private:
  int signals_ = -1;
  int notified_ = -1;
};

}  // namespace gaur::app
