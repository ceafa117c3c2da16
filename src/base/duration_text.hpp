#pragma once
// Durations as people write them: "250ms", "30s", "1h30m". Read by the configuration, the command line and
// the HTTP API alike. Thread-safety: pure functions.
#include <string>
#include <string_view>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur {

/// The longest duration that Gaur takes anywhere: ten years.
inline constexpr Duration kLongestDuration = std::chrono::hours(24 * 365 * 10);

/// What a number without a unit means.
enum class BareNumber : std::uint8_t {
  /// Configuration: "30" may be meant as seconds.
  kRejected,
  /// HTTP API.
  kMilliseconds,
};

/// "250ms", "30s", "10m", "2h", "7d", or several with falling units ("1h30m"). "0" needs no unit.
/// Errors: kInvalidArgument with the rule and the text; over kLongestDuration is rejected.
Result<Duration> parse_duration(std::string_view text, BareNumber bare = BareNumber::kRejected);

/// The shortest exact writing that parse_duration() reads back: "90s" is "1m30s".
std::string format_duration(Duration duration);

}  // namespace gaur
