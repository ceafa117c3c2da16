#pragma once
// Small steps of reading a text from the left, for numbers with units. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string_view>

namespace gaur {

/// Removes and returns the longest beginning of `text` whose characters are all accepted.
std::string_view take_while(std::string_view& text, bool (*accept)(char));

/// The number of 1 to 15 decimal digits; `digits` contains nothing else.
std::optional<std::uint64_t> scan_digits(std::string_view digits);

}  // namespace gaur
