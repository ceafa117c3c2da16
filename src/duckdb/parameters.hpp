#pragma once
// From a job's data to values that are bound: which parameters were given, are they what the function asks
// for, and each as a DuckDB value of its exact type. Nothing here ever makes SQL text.
#include <map>
#include <optional>
#include <string>

#include "duckdb/handles.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// What a value must be and is not ("must be at most 1000, got 5000"); nothing when it is right. An item is
/// one scalar; a value may be a list, where the parameter is one. `pattern` is not looked at: DuckDB matches
/// it.
std::optional<std::string> wrong_item(const Parameter& parameter, const json::RawValue& item);
std::optional<std::string> wrong_value(const Parameter& parameter, const json::RawValue& value);

/// The parameters that have a value, defaults included. Thread-safety: a value.
using Given = std::map<std::string, json::RawValue, std::less<>>;

/// Finds the parameters in the job's data and checks them all. Errors: code "parameter", final; the message
/// names every parameter that is wrong, what was expected and what was given.
Run<Given> take_parameters(const Function& function, const json::RawValue& data);

/// A value of a parameter that no function declares, and the type that it is bound as.
struct Untyped {
  Parameter parameter;
  json::RawValue value;
  bool has_type = true;  ///< false: a bare null
};
/// Parameters of ad-hoc jobs and plans: an object, or a list for $1, $2. Scalars and lists of one kind are
/// typed by what they are; {"type": "date", "value": "2026-11-22"} says it. Errors: as take_parameters().
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
