#include "bull/gate.hpp"

#include "base/json.hpp"

namespace gaur::bull {

Status validate_prefix(std::string_view prefix) {
  const auto bad = prefix.find_first_of("@*?[]\\");
  if (bad == std::string_view::npos && !prefix.empty() && json::is_utf8(prefix)) return ok();
  return Error{Errc::kInvalidArgument,
               "prefix: not empty, UTF-8, without @ * ? [ ] and \\ (they break subscriptions), was " +
                   json::quote(prefix.substr(0, 100))};
}

QueueGate::QueueGate(redis::Client& client, std::string prefix)
    : prefix_(prefix), inspector_(client, std::move(prefix)), state_(std::make_shared<State>()) {}

bool QueueGate::passed(const QueueName& queue) const {
  std::lock_guard lock(state_->mutex);
  return state_->passed.contains(queue);
}

Async<Unit> QueueGate::check(const QueueName& queue) {
  if (Status valid = validate_prefix(prefix_); !valid) return ready(Result<Unit>(valid.error()));
  Promise<Result<Unit>> promise;
  auto future = promise.future();
  inspector_.dialect(queue).then([promise, queue, state = state_](Result<Evidence> evidence) {
    if (!evidence) return promise.set(evidence.error());
    Status use = may_be_used_as_bull(queue, *evidence);
    if (use) {
      std::lock_guard lock(state->mutex);
      if (state->passed.size() > 100'000) state->passed.clear();  // they are looked at again
      state->passed.insert(queue);
    }
    promise.set(std::move(use));
  });
  return future;
}

}  // namespace gaur::bull
