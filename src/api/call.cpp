#include "api/call.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/suggest.hpp"
#include "base/try.hpp"
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

/// An object with `text` at `path`: ("a.b", "1") gives {"a":{"b":1}}.
std::string wrap(std::string_view path, std::string text) {
  if (path.empty()) return text;
  return json::object(
      [&](json::ObjectWriter& out) { out.member(first_key(path), wrap(rest(path), std::move(text))); });
}

Error other_function(const FunctionInfo& function, std::string_view was) {
  return {
      Errc::kInvalidArgument,
      fmt::format("{}: queue {} reads a job's function from this field, so it must be {}, was {}; leave it "
                  "out, or call the other function",
                  function.function_field, json::quote(function.queue.value),
                  json::quote(function.name.value), utf8_prefix(was, 80))};
}

/// Sets the function's name at `path` and keeps every other byte of `data`. An existing value must be that
/// name.
Result<std::string> with_name(const FunctionInfo& function, std::string_view path, std::string_view data) {
  const auto members = json::members(data, json::kPeerLimits);
  if (!members) return other_function(function, data);  // not an object, so it cannot contain the name
  const auto is_ours = [&](const json::Member& member) { return member.key == first_key(path); };
  const auto found = std::find_if(members->begin(), members->end(), is_ours);
  if (found == members->end()) {
    const std::size_t open = data.find('{') + 1;
    const std::string named = wrap(path, json::quote(function.name.value));
    return fmt::format("{}{}{}{}", data.substr(0, open), std::string_view(named).substr(1, named.size() - 2),
                       members->empty() ? "" : ",", data.substr(open));
  }
  if (std::count_if(found, members->end(), is_ours) > 1) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("{}: given twice; readers differ in which one counts", first_key(path))};
  }
  if (rest(path).empty()) {
    if (json::unquote(found->value) == function.name.value) return std::string(data);
    return other_function(function, found->value);
  }
  GAUR_TRY(const std::string inner, with_name(function, rest(path), found->value));
  const auto begin = static_cast<std::size_t>(found->value.data() - data.data());
  return fmt::format("{}{}{}", data.substr(0, begin), inner, data.substr(begin + found->value.size()));
}

}  // namespace

Result<std::string> compose_data(const FunctionInfo& function, const std::string& parameters) {
  GAUR_TRY(const json::Object object, json::parse_object(parameters));
  std::string data = wrap(function.params_path, parameters);
  if (function.function_field.empty()) return data;
  return with_name(function, function.function_field, data);
}

namespace {

constexpr std::size_t kMostListed = 20;
constexpr std::size_t kLongestSuggested = 64;  // bytes; longer names are not compared

/// "; did you mean "top"?" and the known names, truncated.
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
