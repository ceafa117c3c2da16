#pragma once
// Shortening texts that people read. Pure.
#include <cstddef>
#include <string>
#include <string_view>

namespace gaur {

/// The longest beginning of `text` of at most `bytes` bytes that ends neither within a UTF-8 sequence nor
/// between a character and the marks that combine with it (accents, variation selectors, skin tones, joined
/// emoji). Bytes that are no UTF-8 are kept as they are. Never below `bytes` - 64: longer clusters are cut
/// between two code points.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

/// Cuts `text` to utf8_prefix().
void cut_utf8(std::string& text, std::size_t bytes);

}  // namespace gaur
