#pragma once
// Checks a queue's dialect before the first verb on it. Only success is remembered: after a rejection the
// next verb has the queue checked again. Thread-safety: internally locked.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "redis_store/dialect_evidence.hpp"

namespace gaur::redis_store {

class DialectCheck {
 public:
  using MayBeUsed = Status (*)(const QueueName& queue, const Evidence& evidence);
  DialectCheck(redis::Client& client, std::string prefix, MayBeUsed may_be_used);

  using Enter = std::function<void(Status)>;

  /// Whether verbs pass without waiting: the queue was accepted, and no earlier call waits any more.
  bool passed(const QueueName& queue) const;
  /// Calls `enter` in the order of the calls: at once, or on the client's loop after the check. Errors:
  /// kPermission (another dialect, or a mixture: evidence and advice in the message); kInvalidArgument (a
  /// prefix that breaks subscriptions); those of reading.
  void wait(const QueueName& queue, Enter enter);

 private:
  struct State {
    mutable std::mutex mutex;  // guards what follows
    std::set<QueueName> passed;
    /// Calls that arrived during the check.
    std::map<QueueName, std::vector<Enter>> waiting;

    void finish_check(const QueueName& queue, const Status& use);
  };
  redis::Client& client_;
  const std::string prefix_;
  const MayBeUsed may_be_used_;
  std::shared_ptr<State> state_;  // shared with replies under way
};

/// "@" separates channel names from tokens; glob characters would match more in the pattern of a
/// subscription.
Status validate_prefix(std::string_view prefix);

}  // namespace gaur::redis_store
