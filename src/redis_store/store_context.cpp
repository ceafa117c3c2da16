#include "redis_store/store_context.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gaur::redis_store {

std::string StoreContext::now() const {
  return options.clock_for_tests == nullptr ? "" : std::to_string(to_ms(options.clock_for_tests->wall()));
}

std::string StoreContext::lock_ms(Duration life) const {
  return std::to_string(options.clock_for_tests == nullptr ? life.count() : life.count() * 1000);
}

redis::Answer<redis::Reply> StoreContext::run(std::string_view verb, const QueueName& queue,
                                              std::vector<std::string> arguments) {
  if (!open) return ready(Result<redis::Reply>(store_closed()));
  const Keys names = keys(queue);
  arguments.insert(arguments.begin(), now());
  if (check.passed(queue))
    return client.run(scripts[verb], {names.base(), names.own()}, std::move(arguments));
  Promise<Result<redis::Reply>> promise;
  auto future = promise.future();
  check.wait(queue, [self = shared_from_this(), promise, verb, names,
                     arguments = std::move(arguments)](const Status& use) mutable {
    if (!use) return promise.set(use.error());
    if (!self->open) return promise.set(store_closed());
    self->client.run(self->scripts[verb], {names.base(), names.own()}, std::move(arguments))
        .then([promise](Result<redis::Reply> reply) { promise.set(std::move(reply)); });
  });
  return future;
}

Status check_session(const SessionName& session) {
  if (session.value.size() > 512) return Error{Errc::kInvalidArgument, "session: at most 512 bytes"};
  const bool bad = std::any_of(session.value.begin(), session.value.end(),
                               [](unsigned char c) { return c == '@' || c < 0x20 || c == 0x7F; });
  if (bad) return Error{Errc::kInvalidArgument, "session: @ and control characters are not allowed"};
  return ok();
}

Error stale_operation(const OperationId& op, std::string_view last) {
  return {Errc::kInvalidArgument, fmt::format("session {}: sequence number {} is older than the last one, {}",
                                              op.session.value, op.sequence, last)};
}

}  // namespace gaur::redis_store
