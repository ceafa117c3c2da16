#pragma once
// What a store can do. A verb that a store lacks answers kUnsupported and names the capability; the
// conformance suite skips by these names and by nothing else.
#include <array>
#include <bitset>
#include <string_view>

namespace gaur {

enum class Capability : std::uint8_t {
  kHandOff,     ///< an add that meets a parked turn is taken in the same step
  kFlows,       ///< parents and children
  kSchedulers,  ///< repeating jobs
  kDeduplication,
  kRateLimit,
  kGlobalConcurrency,
  kChangeDelay,
  kChangePriority,
  kJobMetrics,   ///< counts of finished jobs a minute
  kUsage,        ///< measured use stored with the job
  kFailureCode,  ///< a failure's code and details are stored; without it only its message and stack are
  kEventLog,     ///< events are kept and name the state before; without it they are what peers publish, live
  kProcessedBy,  ///< the worker of the last start is stored with the job
  kEveryOption,  ///< all of JobOptions are stored; without it those that the dialect knows
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
