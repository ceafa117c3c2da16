#pragma once
// Reads the parameters of a job's data, checks them against the function's declarations, and converts each to
// a DuckDB value of its exact type. Creates no SQL text.
#include <map>
#include <optional>
#include <string>

#include "duckdb/handles.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// The violated rule ("must be at most 1000, got 5000"), or nothing. An item is one scalar; a value may be a
/// list if the parameter is one. Does not check `pattern`: DuckDB matches it.
std::optional<std::string> wrong_item(const Parameter& parameter, const json::RawValue& item);
std::optional<std::string> wrong_value(const Parameter& parameter, const json::RawValue& value);

/// The parameters that have a value, defaults included. Thread-safety: a value.
using Given = std::map<std::string, json::RawValue, std::less<>>;

/// Finds the parameters in the job's data and checks them all. Errors: code "parameter", final; the message
/// names every parameter that is wrong, with the expected and the received value.
Run<Given> take_parameters(const Function& function, const json::RawValue& data);

/// A value of an undeclared parameter, and the type that it is bound as.
struct Untyped {
  Parameter parameter;
  json::RawValue value;
  /// false: a bare null.
  bool has_type = true;
};
/// Parameters of ad-hoc jobs and plans: an object, or a list for $1, $2. Scalars and lists of one kind are
/// typed by their JSON type; {"type": "date", "value": "2026-11-22"} names the type. Errors: as
/// take_parameters().
Run<std::map<std::string, Untyped, std::less<>>> take_untyped(const json::RawValue& parameters);

/// The failure for one parameter, also for patterns.
RunFailure parameter_failure(std::string_view name, const std::string& what);

/// As text, for the conditions and identifiers of a template.
std::string template_text(const json::RawValue& value);

/// A value to bind. `value` must have been checked; nothing: a NULL of the parameter's type, so that
/// overloads and result types are those of a value.
Value to_duckdb(const Api& api, const Parameter& parameter, const json::RawValue* value);
Value to_duckdb(const Api& api, const Untyped& given);

}  // namespace gaur::duckdb
