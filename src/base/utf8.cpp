#include "base/utf8.hpp"

#include <array>
#include <cstdint>

namespace gaur {

namespace {

constexpr std::size_t kLongestCluster = 64;  // most bytes to drop to end at a whole cluster
constexpr std::uint32_t kJoiner = 0x200D;

struct Range {
  std::uint32_t first, last;
};
// Code points that combine with the previous one: Unicode's blocks of combining marks, the Hangul vowels and
// finals of decomposed text, the Japanese voicing marks, joiners, variation selectors, skin tones and tags.
constexpr std::array kCombining{
    Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD},   Range{0x064B, 0x065F},
    Range{0x0E31, 0x0E3A}, Range{0x0E47, 0x0E4E}, Range{0x1160, 0x11FF},   Range{0x1AB0, 0x1AFF},
    Range{0x1DC0, 0x1DFF}, Range{0x200D, 0x200D}, Range{0x20D0, 0x20FF},   Range{0x3099, 0x309A},
    Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0x1F3FB, 0x1F3FF}, Range{0xE0020, 0xE01EF}};

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t start_of_sequence(std::string_view text, std::size_t at) {
  for (int back = 0; back < 3 && at > 0 && is_continuation(text[at]); ++back) --at;
  return at;
}

std::uint32_t code_point_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  std::uint32_t point = more == 0 ? lead : lead & (0x3FU >> more);
  for (int i = 0; i < more && ++at < text.size() && is_continuation(text[at]); ++i)
    point = point << 6 | (static_cast<unsigned char>(text[at]) & 0x3FU);
  return point;
}

bool combines(std::uint32_t point) {
  for (const Range& range : kCombining) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

}  // namespace

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  const std::size_t whole = start_of_sequence(text, bytes);
  std::size_t end = whole;
  const std::size_t least = bytes - std::min(bytes, kLongestCluster);
  while (end > least) {
    const std::size_t before = start_of_sequence(text, end - 1);
    if (!combines(code_point_at(text, end)) && code_point_at(text, before) != kJoiner) break;
    end = before;
  }
  return text.substr(0, end > least ? end : whole);
}

void cut_utf8(std::string& text, std::size_t bytes) {
  text.resize(utf8_prefix(text, bytes).size());
}

std::string shortened(std::string_view text, std::size_t bytes) {
  return text.size() <= bytes ? std::string(text) : std::string(utf8_prefix(text, bytes)) + "...";
}

}  // namespace gaur
