#pragma once
// Durations ("30s", "1h30m") and sizes ("2GB", "512MiB") as people write them.
// Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::app {

/// "250ms", "30s", "10m", "2h", "7d", or several with falling units ("1h30m"). "0" needs no unit.
/// Errors: kInvalidArgument with the rule; over 10 years is refused.
Result<Duration> parse_duration(std::string_view text);

/// "2GB" (10^9), "512MiB" (2^20), "64kB", "100B"; a bare number is bytes. Fractions are allowed: "1.5GB".
/// Errors: kInvalidArgument with the rule; over 1 EB is refused.
Result<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact writing that parse_duration() reads back: "90s" is "1m30s".
std::string format_duration(Duration duration);
/// The shortest exact writing that parse_size() reads back: "2GB", "256KiB", "1000001B".
std::string format_size(std::uint64_t bytes);

}  // namespace gaur::app
