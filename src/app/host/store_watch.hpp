#pragma once
// Checks every 5 s whether a Redis server is still one that Gaur accepts (role, eviction policy, version),
// whether it is out of memory, and which job ids were set aside in the configured queues. Readiness, log and
// metrics report what it finds.
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/metrics.hpp"
#include "base/env.hpp"
#include "base/log.hpp"
#include "bull/inspect.hpp"

namespace gaur::app {

/// Thread-safety: problem() and warnings() from any thread; the rest is confined to `loop`, on which the
/// inspector's replies are delivered. This object and its parts must outlive the client's last reply.
class StoreWatch {
 public:
  struct Parts {
    bull::Inspector& inspector;
    std::vector<QueueName> queues;
    bool allow_eviction = false;
    Loop& loop;
    const Clock& clock;
    Metrics& metrics;
    Logger log;
  };
  explicit StoreWatch(Parts parts) : parts_(std::move(parts)) {}

  void start();
  /// Stops the checks. Call it on the loop.
  void stop() { stopped_ = true; }
  /// Why this host must not rely on the server; nothing: it may. While the server does not answer, the last
  /// result stays.
  std::optional<std::string> problem() const;
  std::vector<std::string> warnings() const;

 private:
  struct State {
    std::optional<std::string> problem;
    bool out_of_memory = false;
    std::map<QueueName, std::uint64_t> set_aside;
  };

  void check();
  void check_queues(std::vector<QueueName> left, State state);
  void note_server(const bull::ServerFacts& facts, State& state);
  void note_set_aside(const QueueName& queue, const std::vector<bull::SetAside>& found, State& state);
  void publish(State state);

  Parts parts_;
  bool stopped_ = false;
  std::set<std::pair<QueueName, std::string>> reported_;
  mutable std::mutex mutex_;
  State state_;  // guarded by mutex_
};

}  // namespace gaur::app
