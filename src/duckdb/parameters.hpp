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
std::optional<std::string> wrong_item(const Parameter& parameter, const json::Value& item);
std::optional<std::string> wrong_value(const Parameter& parameter, const json::Value& value);

/// The parameters that have a value, defaults included. Thread-safety: a value.
using Given = std::map<std::string, json::Value, std::less<>>;

/// Finds the parameters in the job's data and checks them all. Errors: code "parameter", final; the message
/// names every parameter that is wrong, what was expected and what was given.
Run<Given> take_parameters(const Function& function, const json::Value& data);
/// The same code for parameters that no function declares, of ad-hoc jobs and plans: an object, or a list for
/// $1, $2. Scalars and lists of one kind are typed by what they are; {"type": "date", "value": "2026-11-22"}
/// says it.
Run<Given> take_untyped(const json::Value& parameters);

/// The failure for one parameter, also for patterns.
Failure parameter_failure(std::string_view name, const std::string& what);

/// As text, for the conditions and identifiers of a template.
std::string template_text(const json::Value& value);

/// A value to bind. `value` must have been checked; null: NULL.
Value to_duckdb(const Api& api, const Parameter& parameter, const json::Value* value);
/// A value that take_untyped() has checked.
Value to_duckdb_untyped(const Api& api, const json::Value& value);

}  // namespace gaur::duckdb
