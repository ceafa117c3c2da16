#pragma once
// Measures the scratch folders of all runners on a thread of its own, because a walk of many files takes
// long. Thread-safety: one thread calls it; `done` runs on the meter's thread.
#include <atomic>
#include <functional>
#include <memory>

#include "base/system_env.hpp"
#include "runner/process_host.hpp"

namespace gaur {

class ScratchMeter {
 public:
  ~ScratchMeter() { stop_ = true; }

  using Folders = std::map<RunnerId, std::filesystem::path>;
  /// False during a measurement, and after it for 0.25 s, or 20 times as long as it took if that is longer: a
  /// runner with many files costs a twentieth of a core.
  bool is_due(Instant now) const { return !busy_ && now.time_since_epoch().count() >= next_; }
  /// Call it only when one is due.
  void measure(Folders folders, std::function<void(ScratchSizes)> done);

 private:
  SystemClock clock_;
  /// Earliest next measurement, in the clock's units.
  std::atomic<Instant::rep> next_ = 0;
  std::atomic<bool> busy_ = false, stop_ = false;
  std::unique_ptr<ThreadLoop> loop_;  // last: its thread ends before the others are destroyed
};

}  // namespace gaur
