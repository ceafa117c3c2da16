#pragma once
// Values with which a function's SQL is planned before its first job. Thread-safety: pure functions.
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// A value that the parameter takes: its default, the first one allowed, a bound, or any of its type.
json::RawValue sample_of(const Parameter& parameter);

/// Whether the parameter has a value where a template's conditions fall as in `holds` (one entry each);
/// nothing where they leave it open.
std::optional<bool> given_by(const std::vector<Condition>& conditions, const std::vector<bool>& holds,
                             std::string_view name);

}  // namespace gaur::duckdb
