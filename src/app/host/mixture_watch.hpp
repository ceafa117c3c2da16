#pragma once
// Watches the queues of a running host for a second make of client: a BullMQ client that begins to use a Bull
// queue would lose jobs of Bull's and have its own lost. Says so once in the log, and for as long as it lasts
// in the status.
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "base/log.hpp"
#include "bull/inspect.hpp"

namespace gaur::app {

/// Thread-safety: mixed() and follow() from any thread. Everything given outlives the client's last answer,
/// and so must this.
class MixtureWatch {
 public:
  static constexpr Duration kEvery{10'000};

  MixtureWatch(bull::Inspector& inspector, Loop& loop, const Clock& clock, Logger log)
      : inspector_(inspector), loop_(loop), clock_(clock), log_(std::move(log)) {}

  /// Looks at once and then every kEvery.
  void follow(const QueueName& queue);
  /// On `loop`: from now on the inspector is not used any more.
  void stop() { stopped_ = true; }
  /// By queue: what was seen, and the command that mends it.
  std::map<QueueName, std::string> mixed() const;

 private:
  void look(const QueueName& queue);
  void note(const QueueName& queue, const Status& usable);

  bull::Inspector& inspector_;
  Loop& loop_;
  const Clock& clock_;
  const Logger log_;
  bool stopped_ = false;  // confined to `loop`
  mutable std::mutex mutex_;
  std::map<QueueName, std::string> mixed_;  // guarded by mutex_
};

}  // namespace gaur::app
