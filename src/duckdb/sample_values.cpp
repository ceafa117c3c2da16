#include "duckdb/sample_values.hpp"

namespace gaur::duckdb {
namespace {

std::string_view any_of(Scalar scalar) {
  switch (scalar) {
    case Scalar::kBoolean: return "true";
    case Scalar::kDecimal: return "0";  // 1 may not fit
    case Scalar::kVarchar: return "\"x\"";
    case Scalar::kDate:
    case Scalar::kTimestamp: return "\"2026-01-01\"";
    case Scalar::kTime: return "\"00:00\"";
    case Scalar::kTimestampTz: return "\"2026-01-01T00:00:00Z\"";
    case Scalar::kUuid: return "\"00000000-0000-0000-0000-000000000000\"";
    case Scalar::kBlob: return "\"\"";
    case Scalar::kInterval: return "\"P1D\"";
    case Scalar::kJson: return "{}";
    default: return "1";
  }
}

}  // namespace

json::RawValue sample_of(const Parameter& parameter) {
  if (parameter.default_value) return *parameter.default_value;
  json::RawValue item(any_of(parameter.type.scalar));
  if (parameter.max) item = *parameter.max;
  if (parameter.min) item = *parameter.min;
  if (!parameter.allowed.empty()) item = parameter.allowed.front();
  return parameter.type.list ? json::RawValue("[" + item.text() + "]") : item;
}

std::optional<bool> given_by(const std::vector<Condition>& conditions, const std::vector<bool>& holds,
                             std::string_view name) {
  std::optional<bool> given;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const auto& condition = conditions[i];
    if (condition.name != name) continue;
    const bool positive = holds[i] != condition.negated;  // it is there, or equal to the value
    if (!condition.value) return positive;
    if (positive) given = true;
  }
  return given;
}

}  // namespace gaur::duckdb
