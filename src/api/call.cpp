#include "api/call.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/suggest.hpp"
#include "base/utf8.hpp"

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

namespace {

constexpr std::size_t kMostListed = 20;
constexpr std::size_t kLongestSuggested = 64;  // bytes of a name that is compared with all known ones

/// "; did you mean "top"?" and what is known, cut where it is long.
std::string known_names(const std::string& name, const std::vector<std::string>& known,
                        std::string_view none) {
  if (known.empty()) return fmt::format("; known are: {}", none);
  const auto near = name.size() <= kLongestSuggested ? nearest(name, known) : std::nullopt;
  const std::size_t listed = std::min(known.size(), kMostListed);
  return fmt::format("{}known are: {}{}",
                     near ? fmt::format("; did you mean {}? ", json::quote(*near)) : "; ",
                     fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(listed), ", "),
                     known.size() > listed ? " ..." : "");
}

std::string shown(const std::string& name) {
  return json::quote(utf8_prefix(name, 140));
}

}  // namespace

Error unknown_function(const FunctionName& name, const FunctionCatalog& catalog) {
  std::vector<std::string> known;
  for (const auto& [each, info] : catalog.functions) known.push_back(each.value);
  return {Errc::kNotFound, fmt::format("unknown function {}{}", shown(name.value),
                                       known_names(name.value, known,
                                                   "none; declare [functions.<name>] in the configuration"))};
}

Error unknown_queue(const QueueName& name, const std::set<QueueName>& queues) {
  std::vector<std::string> known;
  for (const QueueName& each : queues) known.push_back(each.value);
  return {Errc::kNotFound,
          fmt::format("unknown queue {}{}", shown(name.value),
                      known_names(name.value, known, "none; declare [queues.<name>] in the configuration"))};
}

}  // namespace gaur
