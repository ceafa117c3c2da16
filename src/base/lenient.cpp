#include "base/lenient.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace gaur::json {

namespace {

/// The code unit of the escape \uXXXX at `at`; nothing if there is none.
std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* const digits = text.data() + at + 2;
  const auto [end, problem] = std::from_chars(digits, digits + 4, unit, 16);
  if (problem != std::errc() || end != digits + 4) return std::nullopt;
  return unit;
}

bool is_high(unsigned unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low(unsigned unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

/// Length of the escape at `at`, and whether it is a lone surrogate.
std::pair<std::size_t, bool> escape_at(std::string_view text, std::size_t at) {
  const auto unit = unit_at(text, at);
  if (!unit) return {2, false};  // an escaped backslash
  const auto next = unit_at(text, at + 6);
  if (is_high(*unit) && next && is_low(*next)) return {12, false};
  return {6, is_high(*unit) || is_low(*unit)};
}

/// Begin and end of the digits of the exponent at `at` ("e+12").
std::pair<std::size_t, std::size_t> exponent_at(std::string_view text, std::size_t at) {
  std::size_t begin = at + 1;
  if (begin < text.size() && (text[begin] == '+' || text[begin] == '-')) ++begin;
  std::size_t end = begin;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return {begin, end};
}

constexpr std::string_view kHugeExponent = "999999999";  // larger than any number of digits can compensate

}  // namespace

std::optional<std::string> library_form(std::string_view text) {
  std::optional<std::string> out;
  const auto put = [&](std::size_t at, std::size_t length, const std::string& by) {
    if (!out) out.emplace(text);
    out->replace(at, length, by);
  };
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string && c == '\\') {
      const auto [length, lone] = escape_at(text, at);
      if (lone) put(at, 6, "\\ufffd");
      at += length;
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == 'e' || c == 'E')) {
      const auto [begin, end] = exponent_at(text, at);
      const std::size_t digits = end - begin;
      const std::size_t zeros = std::min(text.find_first_not_of('0', begin), end) - begin;
      if (digits - zeros > kHugeExponent.size())
        put(begin, digits, std::string(digits - kHugeExponent.size(), '0') + std::string(kHugeExponent));
    }
    ++at;
  }
  return out;
}

}  // namespace gaur::json
