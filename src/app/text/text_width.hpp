#pragma once
// Width of text on a terminal, by utf8proc's tables of Unicode. Thread-safety: pure functions.
#include <cstddef>
#include <string>
#include <string_view>

namespace gaur::app {

/// Columns that UTF-8 text takes on a terminal: East Asian wide characters and emoji take two, combining
/// marks none. A byte that is not UTF-8 counts as one.
std::size_t display_width(std::string_view utf8);
/// `text`, filled with spaces to `width` columns.
std::string padded(std::string_view text, std::size_t width);

}  // namespace gaur::app
