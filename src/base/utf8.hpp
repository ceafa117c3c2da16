#pragma once
// Truncates texts that people read. Thread-safety: pure functions.
#include <cstddef>
#include <string>
#include <string_view>

namespace gaur {

/// The longest prefix of `text` with at most `bytes` bytes that ends neither within a UTF-8 sequence nor
/// between a character and the marks that combine with it (accents, variation selectors, skin tones, joined
/// emoji). Bytes that are not UTF-8 are kept. Never shorter than `bytes` - 64: longer clusters are split
/// between two code points.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

/// Truncates `text` to utf8_prefix().
void cut_utf8(std::string& text, std::size_t bytes);

/// `text`, or utf8_prefix() and "..." if it is longer than `bytes`.
std::string shortened(std::string_view text, std::size_t bytes);

}  // namespace gaur
