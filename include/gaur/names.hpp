#pragma once
// Distinct types for ids and names, and the project's time types.
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

/// A decimal number assigned by the store, or the user's own text.
using JobId = Name<struct JobIdTag>;
/// 1 to 480 bytes, see validate_queue_name().
using QueueName = Name<struct QueueNameTag>;
/// The function that runs a job: the job's name, or a field of its data.
using FunctionName = Name<struct FunctionTag>;
/// Unique for each start of each job.
using LockToken = Name<struct LockTokenTag>;
/// A sequence of numbered operations of one sender.
using SessionName = Name<struct SessionTag>;

using Duration = std::chrono::milliseconds;
/// Wall clock, milliseconds since 1970 UTC: only for values that are stored or displayed.
using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
/// Monotonic clock: for deadlines, timeouts and measured durations.
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
