#pragma once
// Lets the main thread wait for signals and for notifications of other threads at once. Thread-safety:
// notify() from any thread; the rest on the main thread.
#include <array>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::app {

class Signals {
 public:
  /// Blocks TERM, INT and HUP for this thread and the threads it starts later, and ignores PIPE: construct it
  /// before any thread. Child processes unblock them again (the spawn of runners does).
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  enum class Event { kStop, kReload, kNotified, kTimeout };
  /// Blocks until TERM or INT (kStop) or HUP (kReload) arrives, notify() is called, or `at_most` has passed;
  /// below 0: without end.
  Event wait(Duration at_most = Duration{-1});
  void notify();

 private:
  int signals_ = -1;
  int notified_ = -1;
};

}  // namespace gaur::app
