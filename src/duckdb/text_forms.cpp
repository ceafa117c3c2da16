#include "duckdb/text_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "duckdb/calendar.hpp"

namespace gaur::duckdb {
namespace {

/// `digits` with `point` of them before the point, in ECMAScript's format.
void lay_out(std::string& out, std::string_view digits, std::int64_t point) {
  const auto count = static_cast<std::int64_t>(digits.size());
  if (point > 21 || point < -5) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1);
    fmt::format_to(std::back_inserter(out), "e{}{}", point < 1 ? '-' : '+', std::abs(point - 1));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (count <= point) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    out.append(digits, 0, static_cast<std::size_t>(point))
        .append(".")
        .append(digits, static_cast<std::size_t>(point));
  }
}

template <class Real>
void append_real(std::string& out, Real value) {
  if (std::signbit(value)) out += '-';
  if (value == 0) {
    out += '0';
    return;
  }
  char text[64];
  char* end = std::to_chars(text, text + sizeof text, std::abs(value), std::chars_format::scientific).ptr;
  char* mark = std::find(text, end, 'e');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  if (mark > text + 1) {  // "1.5e+03": replaces the point with the first digit
    text[1] = text[0];
    lay_out(out, {text + 1, static_cast<std::size_t>(mark - text - 1)}, exponent + 1);
  } else {
    lay_out(out, {text, 1}, exponent + 1);
  }
}

}  // namespace

void append_digits(std::string& out, const DecimalText& number) {
  if (number.digits.empty()) {
    out += '0';
  } else {
    lay_out(out, number.digits, static_cast<std::int64_t>(number.digits.size()) + number.exponent);
  }
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
  }
  out.append(text, from);
  out += '"';
}

void append_double(std::string& out, double value) {
  append_real(out, value);
}
void append_float(std::string& out, float value) {
  append_real(out, value);
}

void append_unsigned(std::string& out, UInt128 value) {
  char digits[40];
  char* at = digits + sizeof digits;
  do {
    *--at = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  out.append(at, static_cast<std::size_t>(digits + sizeof digits - at));
}

void append_signed(std::string& out, Int128 value) {
  if (value < 0) out += '-';
  append_unsigned(out, value < 0 ? ~static_cast<UInt128>(value) + 1 : static_cast<UInt128>(value));
}

void append_decimal(std::string& out, Int128 scaled, unsigned scale) {
  if (scale == 0) return append_signed(out, scaled);
  if (scaled < 0) out += '-';
  std::string digits;
  append_unsigned(digits, scaled < 0 ? ~static_cast<UInt128>(scaled) + 1 : static_cast<UInt128>(scaled));
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  out.append(digits, 0, digits.size() - scale).append(".").append(digits, digits.size() - scale);
}

void append_bignum(std::string& out, std::span<const std::uint8_t> stored) {
  constexpr std::size_t kHeader = 3;
  constexpr std::uint64_t kChunk = 1'000'000'000'000'000'000ULL;  // 10^18
  if (stored.size() <= kHeader) {
    out += '0';
    return;
  }
  const bool negative = (stored[0] & 0x80U) == 0;
  std::vector<std::uint64_t> words;  // most significant first
  const auto bytes = stored.subspan(kHeader);
  const std::size_t lead = bytes.size() % 8;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t width = at == 0 && lead != 0 ? lead : 8;
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < width; ++i, ++at) {
      word = (word << 8U) | static_cast<std::uint8_t>(negative ? ~bytes[at] : bytes[at]);
    }
    words.push_back(word);
  }
  std::vector<std::uint64_t> parts;  // 18 digits each, least significant first
  std::size_t first = 0;
  while (first < words.size()) {
    UInt128 rest = 0;
    for (std::size_t i = first; i < words.size(); ++i) {
      rest = (rest << 64U) | words[i];
      words[i] = static_cast<std::uint64_t>(rest / kChunk);
      rest %= kChunk;
    }
    parts.push_back(static_cast<std::uint64_t>(rest));
    while (first < words.size() && words[first] == 0) ++first;
  }
  while (parts.size() > 1 && parts.back() == 0) parts.pop_back();
  if (negative && (parts.size() > 1 || parts[0] != 0)) out += '-';
  fmt::format_to(std::back_inserter(out), "{}", parts.back());
  for (auto part = parts.rbegin() + 1; part != parts.rend(); ++part)
    fmt::format_to(std::back_inserter(out), "{:018}", *part);
}

void append_base64(std::string& out, std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16U;
    if (left > 1) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8U;
    if (left > 2) group |= bytes[i + 2];
    for (std::size_t digit = 0; digit < 4; ++digit) {
      out += digit <= left ? kDigits[(group >> (18U - 6U * digit)) & 63U] : '=';
    }
  }
}

void append_bits(std::string& out, std::span<const std::uint8_t> stored) {
  if (stored.empty()) return;
  for (std::size_t bit = stored[0]; bit < (stored.size() - 1) * 8; ++bit) {
    out += ((stored[1 + bit / 8] >> (7U - bit % 8)) & 1U) != 0 ? '1' : '0';
  }
}

void append_uuid(std::string& out, UInt128 stored) {
  const UInt128 value =
      stored ^ (static_cast<UInt128>(1) << 127U);  // stored so that signed order is text order
  const auto high = static_cast<std::uint64_t>(value >> 64U);
  const auto low = static_cast<std::uint64_t>(value);
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U,
                 (high >> 16U) & 0xFFFFU, high & 0xFFFFU, low >> 48U, low & 0xFFFFFFFFFFFFULL);
}

void append_interval(std::string& out, std::int32_t months, std::int32_t days, std::int64_t micros) {
  auto into = std::back_inserter(out);
  const auto part = [&](std::int64_t count, char unit) {
    if (count != 0) fmt::format_to(into, "{}{}", count, unit);
  };
  out += 'P';
  part(months / 12, 'Y');
  part(months % 12, 'M');
  part(days, 'D');
  if (micros != 0 || (months == 0 && days == 0)) out += 'T';
  if (micros == 0) {
    if (out.back() == 'T') out += "0S";
    return;
  }
  constexpr std::int64_t kSecond = 1'000'000;
  part(micros / (3600 * kSecond), 'H');
  part(micros / (60 * kSecond) % 60, 'M');
  const std::int64_t seconds = micros % (60 * kSecond);
  if (seconds == 0) return;
  if (seconds < 0) out += '-';
  fmt::format_to(into, "{}", std::abs(seconds / kSecond));
  if (std::int64_t fraction = std::abs(seconds % kSecond); fraction != 0) {
    auto digits = fmt::format("{:06}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += '.' + digits;
  }
  out += 'S';
}

void append_time_tz(std::string& out, std::uint64_t packed) {
  constexpr std::int64_t kMostOffset =
      16 * 3600 - 1;  // stored as this minus the offset, so that order is by instant
  append_time(out, static_cast<std::int64_t>(packed >> 24U), 1'000'000);
  const std::int64_t offset = kMostOffset - static_cast<std::int64_t>(packed & 0xFFFFFFU);
  const std::int64_t size = std::abs(offset);
  fmt::format_to(std::back_inserter(out), "{}{:02}:{:02}", offset < 0 ? '-' : '+', size / 3600,
                 size / 60 % 60);
  if (size % 60 != 0) fmt::format_to(std::back_inserter(out), ":{:02}", size % 60);
}

}  // namespace gaur::duckdb
