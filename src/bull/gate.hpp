#pragma once
// What stands before every verb: a queue is used only after its keys were looked at once and spoke Bull's
// dialect or none. A refusal is not remembered: what was mended is found out by the next verb. Thread-safety:
// internally locked.
#include <memory>
#include <mutex>
#include <set>

#include "bull/inspect.hpp"

namespace gaur::bull {

class QueueGate {
 public:
  QueueGate(redis::Client& client, std::string prefix);

  bool passed(const QueueName& queue) const;
  /// Errors: kPermission (BullMQ's, or mixed: evidence and advice in the message); kInvalidArgument (a prefix
  /// that would break subscriptions: @ and glob characters).
  Async<Unit> check(const QueueName& queue);

 private:
  struct State {
    mutable std::mutex mutex;
    std::set<QueueName> passed;  // guarded by mutex
  };
  const std::string prefix_;
  Inspector inspector_;
  std::shared_ptr<State> state_;  // shared with answers on their way
};

/// "@" splits channels from tokens, and the others would match more than themselves in a subscription's
/// pattern.
Status validate_prefix(std::string_view prefix);

}  // namespace gaur::bull
