#include "api/call.hpp"

#include <fmt/format.h>

#include "base/json.hpp"

namespace gaur {

namespace {

std::string_view first_key(std::string_view path) {
  return path.substr(0, path.find('.'));
}
std::string_view rest(std::string_view path) {
  const std::size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
}

/// `text` wrapped so that it stands at `path`: ("a.b", "1") gives {"a":{"b":1}}.
std::string wrap(std::string_view path, std::string text) {
  if (path.empty()) return text;
  return fmt::format("{{{}:{}}}", json::quote(first_key(path)), wrap(rest(path), std::move(text)));
}

/// Two objects' texts as one; their keys are known to differ.
std::string join(const std::string& left, std::string_view right) {
  const std::size_t open = right.find('{');
  const std::string_view inside = right.substr(open + 1);
  const bool empty = inside.find_first_not_of(" \t\r\n") == inside.rfind('}');
  return fmt::format("{}{}{}", std::string_view(left).substr(0, left.size() - 1), empty ? "" : ",", inside);
}

std::string compose(std::string_view name_path, const std::string& name, std::string_view params_path,
                    const std::string& parameters) {
  if (!params_path.empty() && first_key(name_path) == first_key(params_path)) {
    return wrap(first_key(name_path), compose(rest(name_path), name, rest(params_path), parameters));
  }
  return join(wrap(name_path, name), wrap(params_path, parameters));
}

}  // namespace

Result<std::string> compose_data(const FunctionInfo& function, const std::string& parameters) {
  GAUR_TRY(const json::Object object, json::parse_object(parameters));
  if (function.function_field.empty()) return wrap(function.params_path, parameters);
  const std::string_view key = first_key(function.function_field);
  if (function.params_path.empty() && object.contains(key)) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("{}: this name is taken by the queue's function field; leave it out", key)};
  }
  return compose(function.function_field, json::quote(function.name.value), function.params_path, parameters);
}

Error unknown_function(const FunctionName& name, const FunctionCatalog& catalog) {
  std::string known;
  std::size_t shown = 0;
  for (const auto& [each, info] : catalog.functions) {
    if (shown++ == 20) {
      known += " ...";
      break;
    }
    known += (known.empty() ? "" : ", ") + each.value;
  }
  if (known.empty()) known = "none; declare [functions.<name>] in the configuration";
  return {Errc::kNotFound,
          fmt::format("unknown function {}; known are: {}", json::quote(name.value.substr(0, 140)), known)};
}

}  // namespace gaur
