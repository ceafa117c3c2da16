#include "app/config/origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace gaur::app {

std::string to_string(const Origin& origin) {
  if (origin.kind == Origin::Kind::kDefault) return "default";
  if (origin.line == 0) return origin.name;
  if (origin.column == 0) return fmt::format("{}:{}", origin.name, origin.line);
  return fmt::format("{}:{}:{}", origin.name, origin.line, origin.column);
}

std::string to_string(const Problem& problem) {
  std::string text = problem.origin.kind == Origin::Kind::kDefault ? "" : to_string(problem.origin) + ": ";
  if (!problem.key.empty()) text += problem.key + ": ";
  return text + problem.message;
}

void sort(std::vector<Problem>& problems) {
  const auto rank = [](const Problem& p) {
    return std::tuple(p.origin.line == 0, p.origin.name, p.origin.line, p.origin.column);
  };
  std::stable_sort(problems.begin(), problems.end(),
                   [&](const Problem& a, const Problem& b) { return rank(a) < rank(b); });
}

}  // namespace gaur::app
