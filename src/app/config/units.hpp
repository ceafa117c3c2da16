#pragma once
// Parses and formats sizes ("2GB", "512MiB"); durations are in base/duration_text.hpp.
// Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/duration_text.hpp"
#include "gaur/result.hpp"

namespace gaur::app {

/// "2GB" (10^9), "512MiB" (2^20), "64kB", "100B"; a bare number is bytes. Fractions are allowed: "1.5GB".
/// Errors: kInvalidArgument with the rule; sizes over 1 EB are rejected.
Result<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact text, which parse_size() accepts: "2GB", "256KiB", "1000001B".
std::string format_size(std::uint64_t bytes);

}  // namespace gaur::app
