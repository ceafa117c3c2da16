#pragma once
// Strong types for the texts that must not be mixed up, and the project's time types.
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace gaur {

template <class Tag>
struct Name {
  std::string value;
  Name() = default;
  explicit Name(std::string text) : value(std::move(text)) {}
  bool empty() const { return value.empty(); }
  auto operator<=>(const Name&) const = default;
};

using JobId = Name<struct JobIdTag>;          ///< a decimal number given by the store, or the user's own text
using QueueName = Name<struct QueueNameTag>;  ///< 1 to 480 bytes, see validate_queue_name()
using FunctionName = Name<struct FunctionTag>;  ///< what a job asks for: its name, or a field of its data
using LockToken = Name<struct LockTokenTag>;    ///< unique for each start of each job
using SessionName = Name<struct SessionTag>;    ///< one sender of numbered operations

using Duration = std::chrono::milliseconds;
/// Wall clock, milliseconds since 1970 UTC: only for what is stored or shown.
using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
/// Monotonic: for deadlines, timeouts and every measured duration.
using Instant = std::chrono::steady_clock::time_point;

inline std::int64_t to_ms(Time time) {
  return time.time_since_epoch().count();
}
inline Time from_ms(std::int64_t ms) {
  return Time(Duration(ms));
}

}  // namespace gaur

template <class Tag>
struct std::hash<gaur::Name<Tag>> {
  std::size_t operator()(const gaur::Name<Tag>& name) const noexcept {
    return std::hash<std::string>{}(name.value);
  }
};
