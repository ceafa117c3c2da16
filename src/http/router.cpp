#include "http/router.hpp"

namespace gaur::http {

namespace {

/// Whether the segments match this pattern; fills `params` with the values of its {names}.
bool matches(std::string_view pattern, const std::vector<std::string>& segments,
             std::vector<std::string>& params) {
  params.clear();
  pattern.remove_prefix(1);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::size_t slash = pattern.find('/');
    const std::string_view part = pattern.substr(0, slash);
    if (part.starts_with('{')) {
      if (segments[i].empty()) return false;
      params.push_back(segments[i]);
    } else if (part != segments[i]) {
      return false;
    }
    const bool last = slash == std::string_view::npos;
    if (last) return i + 1 == segments.size();
    pattern.remove_prefix(slash + 1);
  }
  return false;
}

}  // namespace

Match find_route(std::span<const Route> table, std::string_view method,
                 const std::vector<std::string>& segments) {
  Match match;
  std::vector<std::string> params;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route& route : table) {
    if (!matches(route.pattern, segments, params)) continue;
    if (route.method == wanted) {
      match.route = &route;
      match.params = std::move(params);
      return match;
    }
    match.allow += (match.allow.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

}  // namespace gaur::http
