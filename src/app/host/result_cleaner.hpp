#pragma once
// Removes a job's result file as soon as somebody removes the job. Files of jobs that retention dropped, or
// that were removed while nobody listened, go when they expire.
#include <atomic>

#include "base/env.hpp"
#include "core/store.hpp"
#include "runner/result_keeper.hpp"

namespace gaur::app {

/// Thread-safety: confined to the store's executor, which is `loop`; follow() from any thread. Everything
/// given outlives the store's last answer, and so must this.
class ResultCleaner {
 public:
  ResultCleaner(Events& events, ResultKeeper& results, Loop& loop, const Clock& clock)
      : events_(events), results_(results), loop_(loop), clock_(clock) {}

  /// Listens to a queue until the store stops.
  void follow(const QueueName& queue, std::string cursor = "$");
  /// Asks the store nothing more. On the loop, before the store goes.
  void stop() { stopped_ = true; }

 private:
  void on_page(const QueueName& queue, const std::string& cursor, const Result<EventPage>& page);

  Events& events_;
  ResultKeeper& results_;
  Loop& loop_;
  const Clock& clock_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace gaur::app
