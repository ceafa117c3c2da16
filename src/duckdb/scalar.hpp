#pragma once
// One scalar of a parameter, taken from JSON into its exact form, in which it is compared and bound.
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "base/decimal_text.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// boolean | integer, bigint, date (days), timestamps (microseconds) | double | decimal (scaled) | varchar
using ScalarValue = std::variant<bool, std::int64_t, double, Int128, std::string>;

/// Errors: what was expected and what came: "must be a whole number, got \"ten\"".
tl::expected<ScalarValue, std::string> read_scalar(const ParameterType& type, bool coerce,
                                                   const json::Value& value);

/// `value` as JSON, a number as a person writes it (3.5, not 3.5E0).
std::string plain_json(const json::Value& value);
/// The same for a message: cut to 60 bytes.
std::string shown(const json::Value& value);

}  // namespace gaur::duckdb
