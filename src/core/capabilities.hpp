#pragma once
// What a store supports. A method that a store does not support returns kUnsupported and names the
// capability; the conformance suite skips cases by these names only.
#include <array>
#include <bitset>
#include <string_view>

namespace gaur {

enum class Capability : std::uint8_t {
  /// An add hands its job to a long poll in the same step.
  kHandOff,
  /// Repeating jobs.
  kSchedulers,
  kDeduplication,
  kRateLimit,
  kGlobalConcurrency,
  kChangeDelay,
  kChangePriority,
  /// The measured usage is stored with the job.
  kUsage,
  /// A failure's code and details are stored; without it only message and stack.
  kFailureCode,
  /// Events are stored and contain the previous state; without it only events that peers publish are seen,
  /// live.
  kEventLog,
  /// The worker of the last start is stored with the job.
  kProcessedBy,
  /// All of JobOptions are stored; without it only those that the dialect has.
  kEveryOption,
  kCount_,
};
std::string_view to_string(Capability capability);

class Capabilities {
 public:
  constexpr Capabilities() = default;
  constexpr Capabilities(std::initializer_list<Capability> have) {
    for (const Capability c : have) bits_ |= 1U << static_cast<unsigned>(c);
  }
  constexpr bool has(Capability c) const { return (bits_ >> static_cast<unsigned>(c)) & 1U; }

 private:
  unsigned bits_ = 0;
};

}  // namespace gaur
