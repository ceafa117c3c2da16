#pragma once
// One scalar of a parameter, converted from JSON to its exact value, in which it is compared and bound. A
// value that the declared type cannot hold exactly is rejected; only double takes the nearest value.
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "base/decimal_text.hpp"
#include "base/raw_value.hpp"
#include "duckdb/spec.hpp"
#include "duckdb/value_text.hpp"

namespace gaur::duckdb {

/// boolean | integer, bigint, date (days), time and timestamps (microseconds) | double | hugeint, decimal
/// (scaled) | ubigint, uhugeint, uuid | varchar, json (its text), blob (bytes) | interval
using ScalarValue = std::variant<bool, std::int64_t, double, Int128, UInt128, std::string, Interval>;

/// DuckDB's order of two values of one type: NaN is the largest double.
bool less(const ScalarValue& a, const ScalarValue& b);
bool equal(const ScalarValue& a, const ScalarValue& b);

/// Errors: the expected and the received value: "must be a whole number from 0 to 255, got \"ten\"".
tl::expected<ScalarValue, std::string> read_scalar(const ParameterType& type, bool coerce,
                                                   const json::RawValue& value);

/// A number in decimal notation with all its digits: 3.5, not 3.50E0; other JSON unchanged.
std::string plain_json(const json::RawValue& value);
/// The received value for a message, truncated to 60 bytes.
std::string shown(const json::RawValue& value);

}  // namespace gaur::duckdb
