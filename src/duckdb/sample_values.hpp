#pragma once
// Sample values to plan a function's SQL before its first job. Thread-safety: pure functions.
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// A valid value of the parameter: its default, the first one allowed, a bound, or any of its type.
json::RawValue sample_of(const Parameter& parameter);

/// Whether the parameter has a value if a template's conditions have the results `holds` (one entry each);
/// nothing if they do not determine it.
std::optional<bool> given_by(const std::vector<Condition>& conditions, const std::vector<bool>& holds,
                             std::string_view name);

}  // namespace gaur::duckdb
