// The description of a spec's functions as JSON (check.hpp).
#include <algorithm>

#include "duckdb/check.hpp"
#include "duckdb/check_instance.hpp"
#include "duckdb/statement.hpp"

namespace gaur::duckdb {
namespace {

/// Nothing if DuckDB needs bound values to name the columns: parameters of table functions, as range($n).
std::vector<std::pair<std::string, std::string>> known_columns(const Statement& statement) {
  auto columns = statement.columns();
  const bool open = std::any_of(columns.begin(), columns.end(),
                                [](const auto& each) { return each.second.starts_with("UNKNOWN("); });
  if (open) columns.clear();
  return columns;
}

/// Exact: json::Value can represent every number of a spec.
json::Value as_value(const json::RawValue& raw) {
  return json::parse(raw.text()).value_or(json::Value());
}

json::Object describe_function(const Api& api, duckdb_connection connection, const Function& function) {
  json::Object parameters;
  for (const auto& [name, parameter] : function.parameters) {
    json::Object about{{"type", parameter.type.text()}, {"required", parameter.required}};
    if (parameter.default_value) about["default"] = as_value(*parameter.default_value);
    if (parameter.min) about["min"] = as_value(*parameter.min);
    if (parameter.max) about["max"] = as_value(*parameter.max);
    json::Array allowed;
    for (const auto& each : parameter.allowed) allowed.push_back(as_value(each));
    if (!allowed.empty()) about["enum"] = std::move(allowed);
    if (!parameter.pattern.empty()) about["pattern"] = parameter.pattern;
    parameters[name] = std::move(about);
  }
  json::Object about{{"params", std::move(parameters)},
                     {"result", function.shape == Shape::kObjects ? "objects" : "arrays"},
                     {"envelope", function.envelope}};
  if (!function.sql) return about;
  const auto sql = function.sql->render([](const Condition&) { return true; },
                                        [](std::string_view) { return std::optional<std::string>(); });
  const auto statement = Statement::prepare(api, connection, sql, function.sql->text());
  json::Array columns;
  if (statement) {
    for (const auto& [name, type] : known_columns(*statement))
      columns.push_back(json::Object{{"name", name}, {"type", type}});
  }
  about["columns"] = std::move(columns);
  return about;
}

}  // namespace

std::string describe(const Api& api, const Spec& spec) {
  const ScratchFolder scratch;
  json::Object functions;
  if (auto instance = open_for_check(api, spec, scratch)) {
    if (auto connection = (*instance)->connect()) {
      for (const auto& [name, function] : spec.functions)
        functions[name] = describe_function(api, connection->get(), function);
    }
  }
  return json::serialize(json::Object{{"duckdb", api.version},
                                      {"library", api.path.string()},
                                      {"timezone", spec.timezone},
                                      {"functions", std::move(functions)}});
}

}  // namespace gaur::duckdb
