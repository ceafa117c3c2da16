#include "core/outcome.hpp"

namespace gaur {

Failure stalled_too_often(const std::optional<Failure>& last) {
  Failure failure = last.value_or(Failure{});
  failure.code = "stalled";
  const std::string message = std::exchange(failure.message, "stalled more often than allowed");
  if (!message.empty()) failure.message += "; the last error was: " + message;
  return failure;
}

}  // namespace gaur
