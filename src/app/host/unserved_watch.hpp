#pragma once
// Checks every 5 s for jobs that this host cannot start because it does not serve their function or, on an
// embedded store, their queue. Logs each once; metrics and GET /v1/host list them all.
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

/// Thread-safety: start() and found() from any thread; the rest is confined to `loop`, on which the store
/// delivers its replies. This object and its parts must outlive the store's last reply.
class UnservedWatch {
 public:
  struct Parts {
    Store& store;
    const Config& config;
    /// No other worker uses it, so queues that are not configured have no worker.
    bool owns_store = true;
    Loop& loop;
    const Clock& clock;
    Metrics& metrics;
    Logger log;
  };
  explicit UnservedWatch(Parts parts) : parts_(std::move(parts)) {}

  void start();
  /// Stops the checks. Call it on the loop, before the store is destroyed.
  void stop() { stopped_ = true; }
  std::vector<UnservedJobs> found() const;

 private:
  using Found = std::vector<UnservedJobs>;
  void check();
  void check_next(std::vector<QueueName> left, Found found);
  void check_functions(const QueueName& queue, std::vector<QueueName> left, Found found);
  void check_unconfigured(const QueueName& queue, std::vector<QueueName> left, Found found);
  void publish(Found found);
  void report(const UnservedJobs& jobs);

  Parts parts_;
  bool stopped_ = false;
  mutable std::mutex mutex_;
  Found found_;
  std::set<std::pair<QueueName, FunctionName>> reported_;
};

}  // namespace gaur::app
