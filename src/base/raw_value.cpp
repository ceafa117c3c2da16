#include "base/raw_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/decimal_text.hpp"

namespace gaur::json {
namespace {

/// The text has been checked with the caller's limits.
constexpr ParseLimits kChecked{.max_bytes = std::numeric_limits<std::size_t>::max(), .max_depth = 1 << 14};

}  // namespace

RawValue RawValue::of(const Value& value) {
  if (!value.is_double() || !std::isfinite(value.as_double())) return RawValue(serialize(value));
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value.as_double()).ptr;  // 3.5, not 3.5E0
  return RawValue(std::string_view(text, static_cast<std::size_t>(end - text)));
}

std::string RawValue::string() const {
  return unquote(text_).value_or("");
}

std::vector<RawValue> RawValue::items() const {
  std::vector<RawValue> items;
  const auto found = elements(text_, kChecked);
  if (!found) return items;
  items.reserve(found->size());
  for (const auto& each : *found) items.emplace_back(each);
  return items;
}

std::vector<std::pair<std::string, RawValue>> RawValue::members() const {
  std::vector<std::pair<std::string, RawValue>> all;
  if (!is_object()) return all;
  auto found = json::members(text_, kChecked);
  if (!found) return all;
  for (auto& each : *found) all.emplace_back(std::move(each.key), RawValue(each.value));
  return all;
}

std::optional<RawValue> RawValue::member(std::string_view key) const {
  std::optional<RawValue> last;
  for (auto& [name, value] : members()) {
    if (name == key) last = std::move(value);
  }
  return last;
}

std::optional<RawValue> RawValue::find(std::string_view dotted_path) const {
  std::optional<RawValue> at = *this;
  while (at && !dotted_path.empty()) {
    const std::size_t dot = dotted_path.find('.');
    at = at->member(dotted_path.substr(0, dot));
    dotted_path = dot == std::string_view::npos ? "" : dotted_path.substr(dot + 1);
  }
  return at;
}

std::optional<std::string_view> inexact_number(std::string_view checked) {
  const auto kept = [](std::string_view number) {
    if (number.find_first_of(".eE") == std::string_view::npos) {
      const auto whole = read_decimal(number);
      if (whole && exact_int64(*whole)) return true;
      const auto magnitude = whole ? scaled_magnitude(*whole, 0) : tl::unexpected(Inexact::kTooLarge);
      if (magnitude && !whole->negative && *magnitude <= std::numeric_limits<std::uint64_t>::max())
        return true;
    }
    return survives_double(number);
  };
  for (std::size_t at = 0; at < checked.size(); ++at) {
    const char c = checked[at];
    if (c == '"') {
      for (++at; checked[at] != '"'; ++at) at += checked[at] == '\\' ? 1 : 0;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      const auto end = std::min(checked.find_first_not_of("+-.0123456789eE", at), checked.size());
      const auto number = checked.substr(at, end - at);
      if (!kept(number)) return number;
      at = end - 1;
    }
  }
  return std::nullopt;
}

}  // namespace gaur::json
