#pragma once
// Columns of a terminal: Hangul, Han, Kana and emoji take two. Thread-safety: pure functions.
#include <cstddef>
#include <string>
#include <string_view>

namespace gaur::app {

/// Columns that UTF-8 text takes on a terminal; combining marks take none.
std::size_t display_width(std::string_view utf8);
/// `text` and spaces up to `width` columns.
std::string padded(std::string_view text, std::size_t width);

}  // namespace gaur::app
