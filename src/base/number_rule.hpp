#pragma once
// Whole numbers in text, and the one message about those out of their range. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gaur {

/// The number that is the whole text: digits only, up to 2^64-1.
std::optional<std::uint64_t> whole_number(std::string_view text, int base = 10);

/// "a whole number from 0 to 2097151 is expected, was 1.5". `was`: as the user wrote it; long texts are cut.
std::string whole_number_rule(std::uint64_t least, std::uint64_t most, std::string_view was);

}  // namespace gaur
