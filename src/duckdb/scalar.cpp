#include "duckdb/scalar.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "duckdb/calendar.hpp"
#include "duckdb/text_forms.hpp"

namespace gaur::duckdb {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double may stand for another whole number

template <class T>
std::optional<T> from_text(std::string_view text) {
  T value{};
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc() && read.ptr == end ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> whole(const json::Value& value, bool text_too) {
  if (value.is_int64()) return value.as_int64();
  if (value.is_double() && std::trunc(value.as_double()) == value.as_double() &&
      std::abs(value.as_double()) <= kExact) {
    return static_cast<std::int64_t>(value.as_double());
  }
  if (text_too && value.is_string()) return from_text<std::int64_t>(value.as_string());
  return std::nullopt;
}

/// "-12.50" as a whole number of 10^-scale. Nothing: no number, or more digits than there is room for.
std::optional<Int128> scaled(std::string_view text, const ParameterType& type) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Int128 number = 0;
  int digits = 0;
  int after = -1;  // digits behind the point
  bool any = false;
  for (const char c : text) {
    if (c == '.') {
      if (after >= 0) return std::nullopt;
      after = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    any = true;
    if (after >= 0 && ++after > type.scale) {
      if (c != '0') return std::nullopt;
      --after;
      continue;
    }
    number = number * 10 + (c - '0');
    if (number != 0 && ++digits > 38) return std::nullopt;
  }
  if (!any) return std::nullopt;
  for (int i = std::max(after, 0); i < type.scale; ++i) {
    number *= 10;
    if (number != 0 && ++digits > 38) return std::nullopt;
  }
  if (digits > type.precision) return std::nullopt;
  return negative ? -number : number;
}

std::optional<Int128> decimal(const ParameterType& type, const json::Value& value) {
  if (value.is_string()) return scaled(value.as_string(), type);
  if (value.is_int64()) return scaled(std::to_string(value.as_int64()), type);
  if (value.is_uint64()) return scaled(std::to_string(value.as_uint64()), type);
  if (value.is_double() && std::abs(value.as_double()) < 1e15) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value.as_double(), std::chars_format::fixed).ptr;
    return scaled({text, static_cast<std::size_t>(end - text)}, type);
  }
  return std::nullopt;
}

template <class T>
tl::expected<ScalarValue, std::string> or_wrong(std::optional<T> read, std::string_view expected,
                                                const json::Value& value) {
  if (read) return ScalarValue(*std::move(read));
  return tl::make_unexpected(fmt::format("must be {}, got {}", expected, shown(value)));
}

std::optional<bool> boolean(const json::Value& value, bool coerce) {
  if (value.is_bool()) return value.as_bool();
  if (!coerce || !value.is_string()) return std::nullopt;
  const std::string_view text = value.as_string();
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

std::optional<double> real(const json::Value& value, bool coerce) {
  if (value.is_number()) return value.to_number<double>();
  if (!coerce || !value.is_string()) return std::nullopt;
  const auto number = from_text<double>(value.as_string());
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::int64_t> time_of(const json::Value& value, Scalar scalar) {
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.as_string();
  if (scalar == Scalar::kDate) return read_date(text);
  return read_timestamp(text, scalar == Scalar::kTimestampTz ? Zone::kNeeded : Zone::kNone);
}

}  // namespace

std::string plain_json(const json::Value& value) {
  if (!value.is_double()) return json::serialize(value);
  std::string text;
  append_double(text, value.as_double());
  return text;
}

std::string shown(const json::Value& value) {
  std::string text = plain_json(value);
  constexpr std::size_t kMost = 60;
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

tl::expected<ScalarValue, std::string> read_scalar(const ParameterType& type, bool coerce,
                                                   const json::Value& value) {
  switch (type.scalar) {
    case Scalar::kBoolean: return or_wrong(boolean(value, coerce), "true or false", value);
    case Scalar::kInteger: {
      auto number = whole(value, coerce);
      if (number && (*number < std::numeric_limits<std::int32_t>::min() ||
                     *number > std::numeric_limits<std::int32_t>::max())) {
        number.reset();
      }
      return or_wrong(number, "a whole number of 32 bits", value);
    }
    case Scalar::kBigint:
      return or_wrong(whole(value, true), "a whole number of 64 bits, as number or text", value);
    case Scalar::kDouble: return or_wrong(real(value, coerce), "a number", value);
    case Scalar::kDecimal:
      return or_wrong(
          decimal(type, value),
          fmt::format("a number with at most {} digits before and {} after the point, as number or text",
                      type.precision - type.scale, type.scale),
          value);
    case Scalar::kVarchar:
      return or_wrong(value.is_string() ? std::optional(std::string(value.as_string())) : std::nullopt,
                      "a text", value);
    case Scalar::kDate: return or_wrong(time_of(value, type.scalar), "a date as \"2026-11-22\"", value);
    case Scalar::kTimestamp:
      return or_wrong(time_of(value, type.scalar), "a time without zone as \"2026-11-22T09:30:00\"", value);
    case Scalar::kTimestampTz:
      return or_wrong(time_of(value, type.scalar),
                      "a time with its zone as \"2026-11-22T09:30:00Z\" or \"...+09:00\"", value);
  }
  return tl::make_unexpected(std::string("has a type that is not known"));
}

}  // namespace gaur::duckdb
