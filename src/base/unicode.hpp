#pragma once
// UTF-8 from bytes of unknown origin. Thread-safety: pure functions.
#include <cstddef>
#include <string>
#include <string_view>

namespace gaur::unicode {

/// U+FFFD, the replacement of bytes that are not UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// A piece of text at some position: one character, or bytes that decode to one U+FFFD.
struct Piece {
  std::size_t length = 0;
  bool valid = false;
};
/// The piece at `at` (< text.size()), cut as the WHATWG decoder cuts it: Node's Buffer.toString() gives one
/// U+FFFD for each invalid piece.
Piece piece_at(std::string_view text, std::size_t at);

bool is_utf8(std::string_view text);
/// `bytes` as Node reads them: every invalid piece becomes U+FFFD.
std::string to_utf8(std::string_view bytes);

}  // namespace gaur::unicode
