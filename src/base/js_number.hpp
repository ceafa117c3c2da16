#pragma once
// Texts and numbers as JavaScript converts them: peers' options are read by its rules. Thread-safety: pure
// functions.
#include <string>
#include <string_view>
#include <vector>

namespace gaur::js {

/// Number(text): "" is 0, "0x1f" 31, " 1e3\n" 1000; NaN if it is not a number.
double to_number(std::string_view text);
/// String(number): "1795350977642", "1500.5", "1e+21".
std::string to_text(double number);
/// `text` without the white space of JavaScript around it (no-break spaces and the byte order mark included).
std::string_view trim(std::string_view text);
/// text.trim().split(/\s+/)
std::vector<std::string> words(std::string_view text);

}  // namespace gaur::js
