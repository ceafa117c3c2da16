#pragma once
// The one message about whole numbers out of their range. Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

namespace gaur {

/// "a whole number from 0 to 2097151 is expected, was 1.5". `was`: as the user wrote it; long texts are cut.
std::string whole_number_rule(std::uint64_t least, std::uint64_t most, std::string_view was);

}  // namespace gaur
