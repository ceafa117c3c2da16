#pragma once
// Lists of items in one text. Thread-safety: pure functions.
#include <cstddef>
#include <string_view>

namespace gaur {

/// Whether `item` is one of the items of `list`, which `separator` separates.
constexpr bool has_item(std::string_view list, std::string_view separator, std::string_view item) {
  while (!list.empty()) {
    const std::size_t end = list.find(separator);
    if (list.substr(0, end) == item) return true;
    list = end == std::string_view::npos ? "" : list.substr(end + separator.size());
  }
  return false;
}

}  // namespace gaur
