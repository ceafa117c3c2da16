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

/// A limit or enum value from the configuration, checked when it was read.
ScalarValue known(const Parameter& parameter, const json::RawValue& value) {
  return *read_scalar(parameter.type, parameter.coerce, value);
}

std::string list_of(const std::vector<json::RawValue>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const auto& value : values) texts.push_back(plain_json(value));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// The value that contains the parameters; nothing (an empty object) if the data has none.
Run<std::optional<json::RawValue>> parameter_object(const Function& function, const json::RawValue& data) {
  const auto where =
      function.params_path.empty() ? std::string("the job's data") : "data at " + function.params_path;
  const auto path = function.params_path.starts_with("data.") || function.params_path == "data"
                        ? std::string_view(function.params_path)
                              .substr(std::min<std::size_t>(5, function.params_path.size()))
                        : std::string_view(function.params_path);
  auto found = data.find(path);
  // the job's data may itself have a member "data"
  if (!found && path.size() != function.params_path.size()) found = data.find(function.params_path);
  if (!found || found->is_null()) return std::nullopt;
  if (found->is_object()) return found;
  RunFailure failure;
  failure.code = "parameter";
  failure.message = fmt::format("{} must be an object with the parameters, got {}", where, shown(*found));
  return fail(std::move(failure));
}

const std::string kUntypedForms =
    "must be a text, a number, true, false, null, a list of one kind of these, or "
    "{\"type\": ..., \"value\": ...}, got ";

/// The type that an untyped value is bound as. Whole numbers get the narrowest type that keeps them.
tl::expected<ParameterType, std::string> natural_type(const json::RawValue& value);

tl::expected<ParameterType, std::string> natural_number(const std::string& text) {
  ParameterType type;
  type.scalar = Scalar::kDouble;
  if (text.find_first_of(".eE") != std::string::npos) return type;
  for (const auto scalar : {Scalar::kBigint, Scalar::kHugeint, Scalar::kUhugeint}) {
    type.scalar = scalar;
    if (read_scalar(type, false, json::RawValue(text))) return type;
  }
  return tl::unexpected<std::string>(
      "has more digits than a whole number of 128 bits: give it as {\"type\": \"double\", \"value\": ...} or "
      "as a "
      "text");
}

tl::expected<ParameterType, std::string> natural_list(const std::vector<json::RawValue>& items) {
  ParameterType widest;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto type = natural_type(items[i]);
    if (!type) return type;
    const bool same_kind = items[i].is_number() == items[0].is_number() &&
                           items[i].is_bool() == items[0].is_bool() &&
                           items[i].is_string() == items[0].is_string();
    if (!same_kind || type->list || items[i].is_null() || items[i].is_object())
      return tl::unexpected(kUntypedForms + shown(items[i]) + " among others");
    if (i == 0 || type->scalar > widest.scalar) widest = *type;
  }
  widest.list = true;
  return widest;
}

tl::expected<ParameterType, std::string> natural_type(const json::RawValue& value) {
  ParameterType type;
  if (value.is_number()) return natural_number(value.text());
  if (value.is_array()) return natural_list(value.items());
  if (value.is_bool()) type.scalar = Scalar::kBoolean;
  return type;
}

/// {"type": "date", "value": "2026-11-22"}: with an explicit type.
bool says_its_type(const json::RawValue& value) {
  const auto members = value.members();
  return members.size() == 2 && value.member("type") && value.member("value");
}

/// Errors: the problem of the value.
tl::expected<Untyped, std::string> read_untyped(const json::RawValue& value) {
  Untyped given{{}, value, !value.is_null()};
  given.parameter.max_length = 1 << 20;
  if (says_its_type(value)) {
    const auto type = read_parameter_type(value.member("type")->string());
    if (!type) return tl::unexpected("has no type that is known, got " + shown(*value.member("type")));
    given.parameter.type = *type;
    given.parameter.coerce = true;
    given.value = *value.member("value");
  } else {
    if (value.is_object()) return tl::unexpected(kUntypedForms + shown(value));
    const auto type = natural_type(value);
    if (!type) return tl::unexpected(type.error());
    given.parameter.type = *type;
  }
  if (given.value.is_null()) return given;
  if (auto wrong = wrong_value(given.parameter, given.value)) return tl::unexpected(*std::move(wrong));
  return given;
}

}  // namespace

std::optional<std::string> wrong_item(const Parameter& parameter, const json::RawValue& item) {
  const auto value = read_scalar(parameter.type, parameter.coerce, item);
  if (!value) return value.error();
  const auto is_value = [&](const json::RawValue& each) { return equal(known(parameter, each), *value); };
  if (!parameter.allowed.empty() &&
      std::none_of(parameter.allowed.begin(), parameter.allowed.end(), is_value)) {
    return fmt::format("must be one of {}, got {}", list_of(parameter.allowed), shown(item));
  }
  if (parameter.min && less(*value, known(parameter, *parameter.min))) {
    return fmt::format("must be at least {}, got {}", plain_json(*parameter.min), shown(item));
  }
  if (parameter.max && less(known(parameter, *parameter.max), *value)) {
    return fmt::format("must be at most {}, got {}", plain_json(*parameter.max), shown(item));
  }
  if (const auto* text = std::get_if<std::string>(&*value)) {
    const bool bytes = parameter.type.scalar != Scalar::kVarchar;
    const auto length = bytes ? text->size() : characters(*text);
    if (length > parameter.max_length) {
      return fmt::format("must have at most {} {}, has {}", parameter.max_length,
                         bytes ? "bytes" : "characters", length);
    }
  }
  return std::nullopt;
}

std::optional<std::string> wrong_value(const Parameter& parameter, const json::RawValue& value) {
  if (!parameter.type.list) return wrong_item(parameter, value);
  if (!value.is_array())
    return fmt::format("must be a list ({}), got {}", parameter.type.text(), shown(value));
  const auto items = value.items();
  if (items.size() > parameter.max_items) {
    return fmt::format("must have at most {} items, has {}", parameter.max_items, items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto wrong = wrong_item(parameter, items[i])) return fmt::format("item {} {}", i, *wrong);
  }
  return std::nullopt;
}

RunFailure parameter_failure(std::string_view name, const std::string& what) {
  RunFailure failure;
  failure.code = "parameter";
  failure.message = fmt::format("parameter {} {}", name, what);
  failure.details["parameter"] = name;
  return failure;
}

namespace {

RunFailure unknown_parameter(const Function& function, const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& each : function.parameters) names.emplace_back(each.first);
  return parameter_failure(name,
                           fmt::format("is unknown; this function takes {}",
                                       names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

}  // namespace

Run<Given> take_parameters(const Function& function, const json::RawValue& data) {
  const auto object = parameter_object(function, data);
  if (!object) return fail(object.error());
  std::map<std::string, json::RawValue, std::less<>> members;
  if (*object) {
    for (auto& [name, value] : (*object)->members()) members.insert_or_assign(name, std::move(value));
  }
  Given given;
  std::vector<RunFailure> wrong;
  for (const auto& [name, parameter] : function.parameters) {
    const auto found = members.find(name);
    if (found == members.end() || found->second.is_null()) {
      if (parameter.required) {
        wrong.push_back(
            parameter_failure(name, fmt::format("is required ({}) and missing", parameter.type.text())));
      } else if (parameter.default_value) {
        given.emplace(name, *parameter.default_value);
      }
    } else if (auto what = wrong_value(parameter, found->second)) {
      wrong.push_back(parameter_failure(name, *what));
    } else {
      given.emplace(name, found->second);
    }
  }
  if (function.reject_extra) {
    for (const auto& [name, value] : members) {
      if (!function.parameters.contains(name)) wrong.push_back(unknown_parameter(function, name));
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

Run<std::map<std::string, Untyped, std::less<>>> take_untyped(const json::RawValue& parameters) {
  std::map<std::string, Untyped, std::less<>> given;
  if (parameters.is_null()) return given;
  std::vector<std::pair<std::string, json::RawValue>> named = parameters.members();
  if (parameters.is_array()) {
    for (auto& item : parameters.items())
      named.emplace_back(std::to_string(named.size() + 1), std::move(item));
  } else if (!parameters.is_object()) {
    return fail(parameter_failure("params", "must be an object or a list, got " + shown(parameters)));
  }
  for (const auto& [name, value] : named) {
    auto read = read_untyped(value);
    if (!read) return fail(parameter_failure(name, read.error()));
    given.insert_or_assign(name, *std::move(read));
  }
  return given;
}

std::string template_text(const json::RawValue& value) {
  return value.is_string() ? value.string() : plain_json(value);
}

}  // namespace gaur::duckdb
