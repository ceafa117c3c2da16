#include "duckdb/scalar.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/utf8.hpp"
#include "duckdb/calendar.hpp"
#include "duckdb/text_forms.hpp"

namespace gaur::duckdb {
namespace {

using Read = tl::expected<ScalarValue, std::string>;

template <class T>
Read or_wrong(std::optional<T> read, std::string_view expected, const json::RawValue& value) {
  if (read) return ScalarValue(*std::move(read));
  return tl::make_unexpected(fmt::format("must be {}, got {}", expected, shown(value)));
}

/// The digits of a number, or of a text if texts are allowed.
std::optional<std::string> number_text(const json::RawValue& value, bool text_too) {
  if (value.is_number()) return value.text();
  if (text_too && value.is_string()) return value.string();
  return std::nullopt;
}

std::optional<bool> boolean(const json::RawValue& value, bool coerce) {
  if (value.is_bool()) return value.flag();
  if (!coerce || !value.is_string()) return std::nullopt;
  const std::string text = value.string();
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

/// What the whole-number types hold: magnitudes below and above zero.
struct Range {
  UInt128 negative;
  UInt128 positive;
};

Range range_of(Scalar scalar) {
  const auto bits = [](unsigned count) { return (UInt128{1} << count) - 1; };
  switch (scalar) {
    case Scalar::kInteger: return {bits(31) + 1, bits(31)};
    case Scalar::kBigint: return {bits(63) + 1, bits(63)};
    case Scalar::kHugeint: return {bits(127) + 1, bits(127)};
    case Scalar::kUbigint: return {0, bits(64)};
    default: return {0, static_cast<UInt128>(-1)};
  }
}

/// The number × 10^scale, where its magnitude is within `range`.
std::optional<UInt128> magnitude_within(const DecimalText& number, unsigned scale, const Range& range) {
  const auto magnitude = scaled_magnitude(number, scale);
  if (!magnitude || *magnitude > (number.negative ? range.negative : range.positive)) return std::nullopt;
  return *magnitude;
}

Int128 with_sign(UInt128 magnitude, bool negative) {
  return static_cast<Int128>(negative ? UInt128{0} - magnitude : magnitude);
}

Read whole(Scalar scalar, const json::RawValue& value, bool text_too) {
  const Range range = range_of(scalar);
  const auto text = number_text(value, text_too);
  const auto number = text ? read_decimal(*text) : std::nullopt;
  if (const auto magnitude = number ? magnitude_within(*number, 0, range) : std::nullopt) {
    const Int128 signed_value = with_sign(*magnitude, number->negative);
    if (scalar == Scalar::kHugeint) return ScalarValue(signed_value);
    if (range.negative == 0) return ScalarValue(*magnitude);
    return ScalarValue(static_cast<std::int64_t>(signed_value));
  }
  std::string expected = "a whole number from ";
  if (range.negative != 0) expected += '-';
  append_unsigned(expected, range.negative);
  expected += " to ";
  append_unsigned(expected, range.positive);
  if (text_too) expected += ", as number or text";
  return or_wrong(std::optional<bool>(), expected, value);
}

Read decimal(const ParameterType& type, const json::RawValue& value) {
  UInt128 most = 1;
  for (int i = 0; i < type.precision; ++i) most *= 10;
  const auto text = number_text(value, true);
  const auto number = text ? read_decimal(*text) : std::nullopt;
  if (number) {
    if (const auto magnitude = magnitude_within(*number, type.scale, {most - 1, most - 1}))
      return ScalarValue(with_sign(*magnitude, number->negative));
  }
  const auto expected =
      fmt::format("a number with at most {} digits before and {} after the point, as number or text",
                  type.precision - type.scale, type.scale);
  return or_wrong(std::optional<bool>(), expected, value);
}

Read real(const json::RawValue& value, bool coerce) {
  if (value.is_string()) {  // what JSON has no number for
    const std::string text = value.string();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (text == "NaN") return ScalarValue(std::numeric_limits<double>::quiet_NaN());
    if (text == "Infinity" || text == "-Infinity")
      return ScalarValue(text[0] == '-' ? -kInfinity : kInfinity);
  }
  const auto text = number_text(value, coerce);
  if (!text || !read_decimal(*text)) return or_wrong(std::optional<double>(), "a number", value);
  const double number = nearest_double(*text);
  if (std::isfinite(number)) return ScalarValue(number);
  return or_wrong(std::optional<double>(),
                  "a number from -1.7976931348623157e+308 to 1.7976931348623157e+308", value);
}

/// Types whose values are written as text.
template <class Reader>
Read from_text(const json::RawValue& value, std::string_view expected, Reader read) {
  if (!value.is_string()) return or_wrong(std::optional<bool>(), expected, value);
  return or_wrong(read(value.string()), expected, value);
}

Read point_in_time(Scalar scalar, const json::RawValue& value) {
  const auto widened = [](auto read) { return read ? std::optional<std::int64_t>(*read) : std::nullopt; };
  switch (scalar) {
    case Scalar::kDate:
      return from_text(value, "a date as \"2026-11-22\"",
                       [&](const std::string& text) { return widened(read_date(text)); });
    case Scalar::kTime: return from_text(value, "a time of day as \"09:30:00.5\"", read_time);
    case Scalar::kTimestamp:
      return from_text(value, "a time without zone as \"2026-11-22T09:30:00\"",
                       [](const std::string& text) { return read_timestamp(text, Zone::kNone); });
    default:
      return from_text(value, "a time with its zone as \"2026-11-22T09:30:00Z\" or \"...+09:00\"",
                       [](const std::string& text) { return read_timestamp(text, Zone::kNeeded); });
  }
}

}  // namespace

bool less(const ScalarValue& a, const ScalarValue& b) {
  if (const auto* number = std::get_if<double>(&a)) {
    const double other = std::get<double>(b);
    if (std::isnan(*number) || std::isnan(other)) return !std::isnan(*number) && std::isnan(other);
  }
  if (const auto* interval = std::get_if<Interval>(&a))
    return interval->comparable() < std::get<Interval>(b).comparable();
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Interval>) {
          return false;
        } else {
          return value < std::get<T>(b);
        }
      },
      a);
}

bool equal(const ScalarValue& a, const ScalarValue& b) {
  return !less(a, b) && !less(b, a);
}

std::string plain_json(const json::RawValue& value) {
  const auto number = value.is_number() ? read_decimal(value.text()) : std::nullopt;
  if (!number) return value.text();
  std::string text = number->negative ? "-" : "";
  append_digits(text, *number);
  return text;
}

std::string shown(const json::RawValue& value) {
  return shortened(value.text(), 60);
}

tl::expected<ScalarValue, std::string> read_scalar(const ParameterType& type, bool coerce,
                                                   const json::RawValue& value) {
  switch (type.scalar) {
    case Scalar::kBoolean: return or_wrong(boolean(value, coerce), "true or false", value);
    case Scalar::kInteger: return whole(type.scalar, value, coerce);
    case Scalar::kBigint:
    case Scalar::kUbigint:
    case Scalar::kHugeint:
    case Scalar::kUhugeint: return whole(type.scalar, value, true);
    case Scalar::kDouble: return real(value, coerce);
    case Scalar::kDecimal: return decimal(type, value);
    case Scalar::kVarchar:
      return from_text(value, "a text", [](std::string text) { return std::optional(text); });
    case Scalar::kDate:
    case Scalar::kTime:
    case Scalar::kTimestamp:
    case Scalar::kTimestampTz: return point_in_time(type.scalar, value);
    case Scalar::kUuid:
      return from_text(value, "a UUID as \"f0112233-4455-6677-8899-aabbccddeeff\"", read_uuid);
    case Scalar::kBlob: return from_text(value, "bytes in base64, padded with =", read_base64);
    case Scalar::kInterval:
      return from_text(value, "an interval as \"P1Y2M3DT4H5M6.7S\" or \"3 days\"", read_interval);
    case Scalar::kJson: return ScalarValue(value.text());
  }
  return tl::make_unexpected(std::string("has a type that is not known"));
}

}  // namespace gaur::duckdb
