#include "base/unicode.hpp"

namespace gaur::unicode {

namespace {

/// The number of bytes after a lead byte, and the range of the first of them.
struct Lead {
  /// 0: not a lead byte.
  std::size_t following = 0;
  unsigned char least = 0x80, most = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};  // below: overlong
  if (byte == 0xED) return {2, 0x80, 0x9F};  // above: surrogates
  if (byte >= 0xE1 && byte <= 0xEF) return {2};
  if (byte == 0xF0) return {3, 0x90, 0xBF};  // below: overlong
  if (byte >= 0xF1 && byte <= 0xF3) return {3};
  if (byte == 0xF4) return {3, 0x80, 0x8F};  // above: beyond U+10FFFF
  return {};
}

}  // namespace

Piece piece_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(at) < 0x80) return {1, true};
  Lead lead = lead_of(byte(at));
  if (lead.following == 0) return {1, false};
  for (std::size_t i = 1; i <= lead.following; ++i) {
    if (at + i >= text.size() || byte(at + i) < lead.least || byte(at + i) > lead.most) return {i, false};
    lead.least = 0x80;
    lead.most = 0xBF;
  }
  return {lead.following + 1, true};
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Piece piece = piece_at(text, at);
    if (!piece.valid) return false;
    at += piece.length;
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Piece piece = piece_at(bytes, at);
    out += piece.valid ? bytes.substr(at, piece.length) : kReplacement;
    at += piece.length;
  }
  return out;
}

}  // namespace gaur::unicode
