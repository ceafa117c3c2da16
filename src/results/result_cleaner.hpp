#pragma once
// Removes the result files of removed jobs. Files of jobs that retention removed, or that were removed while
// the host was down, remain until they expire.
#include <atomic>

#include "base/env.hpp"
#include "core/store.hpp"
#include "results/result_store.hpp"

namespace gaur::results {

/// Thread-safety: confined to the store's executor, which is `loop`; follow() from any thread. The references
/// and this object must outlive the store's last answer.
class ResultCleaner {
 public:
  ResultCleaner(Events& events, ResultStore& results, Loop& loop, const Clock& clock)
      : events_(events), results_(results), loop_(loop), clock_(clock) {}

  /// Follows the events of a queue until the store stops.
  void follow(const QueueName& queue, std::string cursor = "$");
  /// Sends no further request. Call it on the loop, before the store closes.
  void stop() { stopped_ = true; }

 private:
  void on_page(const QueueName& queue, const std::string& cursor, const Result<EventPage>& page);

  Events& events_;
  ResultStore& results_;
  Loop& loop_;
  const Clock& clock_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace gaur::results
