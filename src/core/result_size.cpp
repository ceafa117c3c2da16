#include "core/result_size.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_text.hpp"
#include "base/utf8.hpp"

namespace gaur {

Failure result_too_large(std::string_view result, std::size_t limit) {
  Failure failure;
  failure.code = "too_large";
  failure.message =
      fmt::format("the result has {} bytes, at most {} are kept (max_result)", result.size(), limit);
  const auto members = json::members(result, {.max_bytes = result.size()});
  if (members && !members->empty()) {
    const auto largest = std::max_element(
        members->begin(), members->end(),
        [](const json::Member& a, const json::Member& b) { return a.value.size() < b.value.size(); });
    failure.message += fmt::format("; its member {} alone has {}", json::quote(utf8_prefix(largest->key, 64)),
                                   largest->value.size());
  }
  failure.message += ". Return less, write a result file, or raise max_result of the function or its pool";
  return failure;
}

}  // namespace gaur
