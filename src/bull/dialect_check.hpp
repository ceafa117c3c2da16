#pragma once
// What stands before every verb: a queue is used only after its keys were looked at once and spoke Bull's
// dialect or none. A refusal is not remembered: what was mended is found out by the next verb. Thread-safety:
// internally locked.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "bull/inspect.hpp"

namespace gaur::bull {

class DialectCheck {
 public:
  DialectCheck(redis::Client& client, std::string prefix);

  using Enter = std::function<void(Status)>;

  /// Whether verbs go through at once: the queue was looked at, and nobody stands before the gate any more.
  bool passed(const QueueName& queue) const;
  /// Calls `enter` in the order of asking: at once, or on the client's loop after the look. Errors:
  /// kPermission (BullMQ's, or mixed: evidence and advice in the message); kInvalidArgument (a prefix that
  /// would break subscriptions: @ and glob characters); those of the look.
  void wait(const QueueName& queue, Enter enter);

 private:
  struct State {
    mutable std::mutex mutex;  // guards what follows
    std::set<QueueName> passed;
    std::map<QueueName, std::vector<Enter>> lines;  ///< who waits for the look that is under way

    void let_in(const QueueName& queue, const Status& use);
  };
  const std::string prefix_;
  Inspector inspector_;
  std::shared_ptr<State> state_;  // shared with answers on their way
};

/// "@" splits channels from tokens, and the others would match more than themselves in a subscription's
/// pattern.
Status validate_prefix(std::string_view prefix);

}  // namespace gaur::bull
