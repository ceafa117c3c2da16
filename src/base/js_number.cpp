#include "base/js_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace gaur::js {

namespace {

/// Length of the white space character at the beginning of `text`; 0: none.
std::size_t space_length(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
  if (text.starts_with("\xC2\xA0")) return 2;
  if (text.size() < 3) return 0;
  for (const std::string_view one : {"\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
                                     "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF"}) {
    if (text.starts_with(one)) return 3;
  }
  const auto third = static_cast<unsigned char>(text[2]);
  const bool is_typographic_space = text.starts_with("\xE2\x80") && third >= 0x80 && third <= 0x8A;
  return is_typographic_space ? 3 : 0;
}

double radix_number(std::string_view digits, unsigned radix) {
  double value = 0;
  if (digits.empty()) return std::numeric_limits<double>::quiet_NaN();
  for (const char c : digits) {
    unsigned digit = 99;
    std::from_chars(&c, &c + 1, digit, 36);
    if (digit >= radix) return std::numeric_limits<double>::quiet_NaN();
    value = value * radix + digit;
  }
  return value;
}

}  // namespace

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found(1);
  text = trim(text);
  while (!text.empty()) {
    if (std::size_t space = space_length(text); space > 0) {
      for (; space > 0; space = space_length(text)) text.remove_prefix(space);
      found.emplace_back();
    } else {
      found.back() += text.front();
      text.remove_prefix(1);
    }
  }
  return found;
}

std::string_view trim(std::string_view text) {
  while (const std::size_t space = space_length(text)) text.remove_prefix(space);
  std::size_t end = 0;  // after the last character that is not white space
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t space = space_length(text.substr(at));
    at += std::max<std::size_t>(space, 1);
    if (space == 0) end = at;
  }
  return text.substr(0, end);
}

double to_number(std::string_view text) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  text = trim(text);
  if (text.empty()) return 0;
  if (text.size() > 2 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    if (kind == 'x') return radix_number(text.substr(2), 16);
    if (kind == 'o') return radix_number(text.substr(2), 8);
    if (kind == 'b') return radix_number(text.substr(2), 2);
  }
  const bool negative = text[0] == '-';
  std::string digits(text.substr(negative || text[0] == '+' ? 1 : 0));
  if (digits == "Infinity") return negative ? -HUGE_VAL : HUGE_VAL;
  if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != std::string::npos) return kNaN;
  if (digits[0] == '+' || digits[0] == '-') return kNaN;
  double value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return kNaN;
  if (problem == std::errc::result_out_of_range) value = std::strtod(digits.c_str(), nullptr);
  return negative ? -value : value;
}

std::string to_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  if (number == 0) return "0";
  const double size = std::abs(number);
  if (size >= 1e-6 && size < 1e21) {
    // The shortest digits with the same value, without an exponent.
    std::string scientific = fmt::format("{:e}", number);
    for (int precision = 0; precision <= 17; ++precision) {
      scientific = fmt::format("{:.{}e}", number, precision);
      if (std::strtod(scientific.c_str(), nullptr) == number) break;
    }
    const auto exponent = std::strtol(scientific.substr(scientific.find('e') + 1).c_str(), nullptr, 10);
    std::string mantissa;
    for (const char c : scientific.substr(0, scientific.find('e'))) {
      if (c >= '0' && c <= '9') mantissa += c;
    }
    std::string plain;
    if (exponent < 0) {
      plain = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + mantissa;
    } else {
      const auto whole = static_cast<std::size_t>(exponent) + 1;
      if (mantissa.size() < whole) mantissa.append(whole - mantissa.size(), '0');
      plain = mantissa.substr(0, whole) + (mantissa.size() > whole ? "." + mantissa.substr(whole) : "");
    }
    return (number < 0 ? "-" : "") + plain;
  }
  return fmt::format("{}", number);
}

}  // namespace gaur::js
