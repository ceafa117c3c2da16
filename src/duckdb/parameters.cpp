#include "duckdb/parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "duckdb/scalar.hpp"

namespace gaur::duckdb {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// A bound or enum value from the configuration; it was checked when it was read.
ScalarValue known(const Parameter& parameter, const json::Value& value) {
  return *read_scalar(parameter.type, parameter.coerce, value);
}

std::string list_of(const std::vector<json::Value>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const auto& value : values) texts.push_back(plain_json(value));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// The object in which the parameters lie; null where the data has none (as good as an empty one).
Run<const json::Object*> parameter_object(const Function& function, const json::Value& data) {
  const auto where =
      function.params_path.empty() ? std::string("the job's data") : "data at " + function.params_path;
  const auto path = function.params_path.starts_with("data.") || function.params_path == "data"
                        ? std::string_view(function.params_path)
                              .substr(std::min<std::size_t>(5, function.params_path.size()))
                        : std::string_view(function.params_path);
  const auto* found = json::find(data, path);
  // a job whose own data has a member "data" may mean that one
  if (found == nullptr && path.size() != function.params_path.size())
    found = json::find(data, function.params_path);
  if (found == nullptr || found->is_null()) return nullptr;
  if (found->is_object()) return &found->as_object();
  Failure failure;
  failure.code = "parameter";
  failure.message = fmt::format("{} must be an object with the parameters, got {}", where, shown(*found));
  return fail(std::move(failure));
}

duckdb_hugeint huge(Int128 number) {
  return {static_cast<std::uint64_t>(number), static_cast<std::int64_t>(number >> 64)};
}

Value scalar_to_duckdb(const Api& api, const ParameterType& type, const ScalarValue& value) {
  Value made(api.destroy_value);
  switch (type.scalar) {
    case Scalar::kBoolean: *made.out() = api.create_bool(std::get<bool>(value)); break;
    case Scalar::kInteger:
      *made.out() = api.create_int32(static_cast<std::int32_t>(std::get<std::int64_t>(value)));
      break;
    case Scalar::kBigint: *made.out() = api.create_int64(std::get<std::int64_t>(value)); break;
    case Scalar::kDouble: *made.out() = api.create_double(std::get<double>(value)); break;
    case Scalar::kDecimal:
      *made.out() = api.create_decimal({type.precision, type.scale, huge(std::get<Int128>(value))});
      break;
    case Scalar::kVarchar: {
      const auto& text = std::get<std::string>(value);
      *made.out() = api.create_varchar_length(text.data(), text.size());
      break;
    }
    case Scalar::kDate:
      *made.out() = api.create_date({static_cast<std::int32_t>(std::get<std::int64_t>(value))});
      break;
    case Scalar::kTimestamp: *made.out() = api.create_timestamp({std::get<std::int64_t>(value)}); break;
    case Scalar::kTimestampTz: *made.out() = api.create_timestamp_tz({std::get<std::int64_t>(value)}); break;
  }
  return made;
}

LogicalType logical_type(const Api& api, const ParameterType& type) {
  static constexpr duckdb_type kTypes[] = {
      DUCKDB_TYPE_BOOLEAN, DUCKDB_TYPE_INTEGER,   DUCKDB_TYPE_BIGINT,
      DUCKDB_TYPE_DOUBLE,  DUCKDB_TYPE_DECIMAL,   DUCKDB_TYPE_VARCHAR,
      DUCKDB_TYPE_DATE,    DUCKDB_TYPE_TIMESTAMP, DUCKDB_TYPE_TIMESTAMP_TZ};
  if (type.scalar == Scalar::kDecimal) {
    return LogicalType(api.destroy_logical_type, api.create_decimal_type(type.precision, type.scale));
  }
  return LogicalType(api.destroy_logical_type,
                     api.create_logical_type(kTypes[static_cast<std::size_t>(type.scalar)]));
}

Value list_to_duckdb(const Api& api, const ParameterType& type, std::vector<Value>& items) {
  std::vector<duckdb_value> handles;
  handles.reserve(std::max<std::size_t>(1, items.size()));  // a null pointer is refused, also for no items
  for (const auto& item : items) handles.push_back(item.get());
  const auto item_type = logical_type(api, type);
  return Value(api.destroy_value, api.create_list_value(item_type.get(), handles.data(), handles.size()));
}

ParameterType natural_type(const json::Value& value) {
  ParameterType type;
  if (value.is_bool()) type.scalar = Scalar::kBoolean;
  if (value.is_number()) type.scalar = value.is_int64() ? Scalar::kBigint : Scalar::kDouble;
  if (const auto* items = value.if_array(); items != nullptr && !items->empty()) {
    const bool fraction = std::any_of(items->begin(), items->end(), [](const json::Value& item) {
      return natural_type(item).scalar == Scalar::kDouble;
    });
    type = natural_type(fraction ? json::Value(0.5) : items->front());
  }
  type.list = value.is_array();
  return type;
}

/// {"type": "date", "value": "2026-11-22"}: the type is said, not guessed.
bool says_its_type(const json::Value& value) {
  const auto* object = value.if_object();
  return object != nullptr && object->size() == 2 && object->contains("type") && object->contains("value");
}

/// The parameter that an untyped value makes. Errors: what is wrong with the value.
tl::expected<Parameter, std::string> untyped_parameter(const json::Value& value) {
  Parameter parameter;
  parameter.max_length = 1 << 20;
  if (!says_its_type(value)) {
    parameter.type = natural_type(value);
    const auto* items = value.if_array();
    const auto same_kind = [&](const json::Value& each) {
      return !each.is_object() && !each.is_array() && !each.is_null() &&
             (each.is_number() ? items->front().is_number() : each.kind() == items->front().kind());
    };
    const bool good =
        items == nullptr ? !value.is_object() : std::all_of(items->begin(), items->end(), same_kind);
    if (good) return parameter;
    return tl::unexpected(
        "must be a text, a number, true, false, null, a list of one kind of these, or "
        "{\"type\": ..., \"value\": ...}, got " +
        shown(value));
  }
  const auto& object = value.as_object();
  const auto type = read_parameter_type(json::text_or(object, "type", ""));
  if (!type) return tl::unexpected("has no type that is known, got " + shown(object.at("type")));
  parameter.type = *type;
  parameter.coerce = true;
  if (object.at("value").is_null()) return parameter;
  if (auto wrong = wrong_value(parameter, object.at("value"))) return tl::unexpected(*std::move(wrong));
  return parameter;
}

}  // namespace

std::optional<std::string> wrong_item(const Parameter& parameter, const json::Value& item) {
  const auto value = read_scalar(parameter.type, parameter.coerce, item);
  if (!value) return value.error();
  const auto is_value = [&](const json::Value& each) { return known(parameter, each) == *value; };
  if (!parameter.allowed.empty() &&
      std::none_of(parameter.allowed.begin(), parameter.allowed.end(), is_value)) {
    return fmt::format("must be one of {}, got {}", list_of(parameter.allowed), shown(item));
  }
  if (parameter.min && *value < known(parameter, *parameter.min)) {
    return fmt::format("must be at least {}, got {}", plain_json(*parameter.min), shown(item));
  }
  if (parameter.max && known(parameter, *parameter.max) < *value) {
    return fmt::format("must be at most {}, got {}", plain_json(*parameter.max), shown(item));
  }
  if (const auto* text = std::get_if<std::string>(&*value);
      text != nullptr && characters(*text) > parameter.max_length) {
    return fmt::format("must have at most {} characters, has {}", parameter.max_length, characters(*text));
  }
  return std::nullopt;
}

std::optional<std::string> wrong_value(const Parameter& parameter, const json::Value& value) {
  if (!parameter.type.list) return wrong_item(parameter, value);
  if (!value.is_array())
    return fmt::format("must be a list ({}), got {}", parameter.type.text(), shown(value));
  const auto& items = value.as_array();
  if (items.size() > parameter.max_items) {
    return fmt::format("must have at most {} items, has {}", parameter.max_items, items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto wrong = wrong_item(parameter, items[i])) return fmt::format("item {} {}", i, *wrong);
  }
  return std::nullopt;
}

Failure parameter_failure(std::string_view name, const std::string& what) {
  Failure failure;
  failure.code = "parameter";
  failure.message = fmt::format("parameter {} {}", name, what);
  failure.details["parameter"] = name;
  return failure;
}

Run<Given> take_parameters(const Function& function, const json::Value& data) {
  auto object = parameter_object(function, data);
  if (!object) return fail(std::move(object).error());
  Given given;
  std::vector<Failure> wrong;
  for (const auto& [name, parameter] : function.parameters) {
    const json::Value* value = *object == nullptr ? nullptr : (*object)->if_contains(name);
    if (value != nullptr && value->is_null()) value = nullptr;
    if (value == nullptr && parameter.required) {
      wrong.push_back(
          parameter_failure(name, fmt::format("is required ({}) and missing", parameter.type.text())));
    } else if (value == nullptr) {
      if (parameter.otherwise) given.emplace(name, *parameter.otherwise);
    } else if (auto what = wrong_value(parameter, *value)) {
      wrong.push_back(parameter_failure(name, *what));
    } else {
      given.emplace(name, *value);
    }
  }
  if (function.reject_extra && *object != nullptr) {
    for (const auto& member : **object) {
      const std::string_view name = member.key();
      if (!function.parameters.contains(name)) {
        std::vector<std::string_view> names;
        for (const auto& each : function.parameters) names.emplace_back(each.first);
        wrong.push_back(parameter_failure(
            name, fmt::format("is unknown; this function takes {}",
                              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")))));
      }
    }
  }
  if (wrong.empty()) return given;
  json::Array all;
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    all.push_back(json::Object{{"parameter", wrong[i].details["parameter"]}, {"message", wrong[i].message}});
    if (i > 0) wrong[0].message += "; " + wrong[i].message;
  }
  wrong[0].details["parameters"] = std::move(all);
  return fail(std::move(wrong[0]));
}

Run<Given> take_untyped(const json::Value& parameters) {
  Given given;
  if (parameters.is_null()) return given;
  if (const auto* list = parameters.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) given.emplace(std::to_string(i + 1), (*list)[i]);
  } else if (const auto* object = parameters.if_object()) {
    for (const auto& member : *object) given.emplace(member.key(), member.value());
  } else {
    return fail(parameter_failure("params", "must be an object or a list, got " + shown(parameters)));
  }
  for (const auto& [name, value] : given) {
    if (const auto good = untyped_parameter(value); !good) return fail(parameter_failure(name, good.error()));
  }
  return given;
}

std::string template_text(const json::Value& value) {
  return value.is_string() ? std::string(value.as_string()) : plain_json(value);
}

Value to_duckdb(const Api& api, const Parameter& parameter, const json::Value* value) {
  if (value == nullptr || value->is_null()) return Value(api.destroy_value, api.create_null_value());
  if (!parameter.type.list) return scalar_to_duckdb(api, parameter.type, known(parameter, *value));
  std::vector<Value> items;
  for (const auto& item : value->as_array())
    items.push_back(scalar_to_duckdb(api, parameter.type, known(parameter, item)));
  return list_to_duckdb(api, parameter.type, items);
}

Value to_duckdb_untyped(const Api& api, const json::Value& value) {
  const auto parameter = untyped_parameter(value);
  return to_duckdb(api, *parameter, says_its_type(value) ? &value.as_object().at("value") : &value);
}

}  // namespace gaur::duckdb
