#pragma once
// Looks every few seconds for jobs that this host cannot start because it does not serve their function, or,
// on a store that is its alone, their queue. Logs each once; metrics and GET /v1/host show them all.
#include <memory>
#include <mutex>
#include <set>

#include "api/metrics.hpp"
#include "app/config/config.hpp"
#include "base/env.hpp"
#include "base/log.hpp"
#include "core/store.hpp"
#include "gaur/host.hpp"

namespace gaur::app {

/// Thread-safety: start() and found() from any thread; the rest is confined to the store's executor, which is
/// `loop`. Everything given outlives the store's last answer, and so must this.
class UnservedWatch {
 public:
  struct Parts {
    Store& store;
    const Config& config;
    bool owns_store = true;  ///< nobody else works on it: queues that are not configured have no worker
    Loop& loop;
    const Clock& clock;
    Metrics& metrics;
    Logger log;
  };
  explicit UnservedWatch(Parts parts) : parts_(std::move(parts)) {}

  void start();
  /// Asks the store nothing more. On the loop, before the store goes.
  void stop() { stopped_ = true; }
  std::vector<UnservedJobs> found() const;

 private:
  using Found = std::vector<UnservedJobs>;
  void look();
  void look_at(std::vector<QueueName> left, Found found);
  void look_at_functions(const QueueName& queue, std::vector<QueueName> left, Found found);
  void look_at_queue(const QueueName& queue, std::vector<QueueName> left, Found found);
  void publish(Found found);
  void report(const UnservedJobs& jobs);

  Parts parts_;
  bool stopped_ = false;
  mutable std::mutex mutex_;
  Found found_;
  std::set<std::pair<QueueName, FunctionName>> reported_;
};

}  // namespace gaur::app
