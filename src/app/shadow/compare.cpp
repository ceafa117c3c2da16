#include "app/shadow/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/utf8.hpp"

namespace gaur::app {
namespace {

using Kind = DifferenceKind;

constexpr std::array kNames{std::pair{Kind::kOrder, "order"},
                            std::pair{Kind::kTimeZone, "time-zone"},
                            std::pair{Kind::kTimeFormat, "time-format"},
                            std::pair{Kind::kFloat, "float"},
                            std::pair{Kind::kType, "type"},
                            std::pair{Kind::kNullMissing, "null"},
                            std::pair{Kind::kMissingKey, "missing-key"},
                            std::pair{Kind::kNewKey, "new-key"},
                            std::pair{Kind::kLength, "length"},
                            std::pair{Kind::kShape, "shape"},
                            std::pair{Kind::kValue, "value"}};

std::string shown(const json::Value* value) {
  if (value == nullptr) return "";
  constexpr std::size_t kMost = 120;
  std::string text = json::serialize(*value);
  if (text.size() <= kMost) return text;
  cut_utf8(text, kMost - 3);
  return text + "...";
}

std::optional<double> as_number(const json::Value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.get_string();
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Whole numbers of 64 bits are compared exactly: a double would hide their last digits.
bool same_number(const json::Value& a, const json::Value& b) {
  if (a.is_int64() && b.is_int64()) return a.get_int64() == b.get_int64();
  if (a.is_uint64() && b.is_uint64()) return a.get_uint64() == b.get_uint64();
  return a.to_number<double>() == b.to_number<double>();
}

std::string hours(std::int64_t ms) {
  const std::int64_t minutes = ms / 60'000;
  return minutes % 60 == 0 ? fmt::format("{:+} h", minutes / 60) : fmt::format("{:+} min", minutes);
}

bool is_list(const json::Value& value) {
  return value.is_array();
}
bool is_table(const json::Value& value) {
  return value.is_object();
}

/// Appends a text that is equal for values that differ only in the order of members, rounding or type.
void normal_form(const json::Value& value, std::string& out) {
  if (const auto* list = value.if_array()) {
    out += '[';
    for (const json::Value& entry : *list) {
      normal_form(entry, out);
      out += ',';
    }
    out += ']';
    return;
  }
  if (const auto* table = value.if_object()) {
    std::map<std::string_view, const json::Value*> sorted;
    for (const auto& [key, entry] : *table) {
      if (!entry.is_null()) sorted.emplace(key, &entry);
    }
    out += '{';
    for (const auto& [key, entry] : sorted) {
      out += json::quote(key) + ":";
      normal_form(*entry, out);
      out += ',';
    }
    out += '}';
    return;
  }
  if (const auto number = as_number(value)) {
    out += fmt::format("{:.8g}", *number + 0.0);
  } else if (value.is_string()) {
    const std::string_view text = value.get_string();
    const auto time = read_time(text);
    out += time                                ? fmt::format("@{}", *time)
           : text == "true" || text == "false" ? std::string(text)
                                               : json::quote(text);
  } else {
    out += json::serialize(value);
  }
}

std::vector<std::string> normal_forms(const json::Array& list) {
  std::vector<std::string> forms(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) normal_form(list[i], forms[i]);
  return forms;
}

std::vector<std::size_t> sorted_places(const std::vector<std::string>& forms) {
  std::vector<std::size_t> places(forms.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::stable_sort(places, [&](std::size_t a, std::size_t b) { return forms[a] < forms[b]; });
  return places;
}

class JsonComparison {
 public:
  explicit JsonComparison(const CompareOptions& options) : options_(options) {}
  Comparison take() { return std::move(result_); }

  void compare(const std::string& path, const json::Value& expected, const json::Value& actual) {
    if (is_list(expected) && is_list(actual)) return lists(path, expected.get_array(), actual.get_array());
    if (is_table(expected) && is_table(actual))
      return tables(path, expected.get_object(), actual.get_object());
    if (expected.is_number() && actual.is_number()) return numbers(path, expected, actual);
    if (expected.is_string() && actual.is_string()) return texts(path, expected, actual);
    if (is_list(expected) || is_table(expected) || is_list(actual) || is_table(actual))
      return add(Kind::kShape, path, &expected, &actual, shape_note(expected, actual));
    if (expected == actual) return;
    add(same_but_for_type(expected, actual) ? Kind::kType : Kind::kValue, path, &expected, &actual);
  }

 private:
  void add(Kind kind, const std::string& path, const json::Value* expected, const json::Value* actual,
           std::string note = "") {
    const std::uint64_t number = ++result_.count[kind];
    if (number <= options_.show)
      result_.shown.push_back({kind, path, shown(expected), shown(actual), std::move(note)});
  }

  static std::string shape_note(const json::Value& expected, const json::Value& actual) {
    const auto* table = actual.if_object();
    if (!is_list(expected) || table == nullptr) return "";
    const json::Value* rows = table->if_contains("rows");
    return rows != nullptr && rows->is_array()
               ? "the rows are wrapped: envelope = false returns the plain list"
               : "";
  }

  static bool same_but_for_type(const json::Value& a, const json::Value& b) {
    const auto left = as_number(a);
    const auto right = as_number(b);
    if (left && right) return *left == *right;
    const auto truth = [](const json::Value& v) -> std::optional<bool> {
      if (v.is_bool()) return v.as_bool();
      if (v.is_string() && v.get_string() == "true") return true;
      if (v.is_string() && v.get_string() == "false") return false;
      if (v.is_int64() && (v.get_int64() == 0 || v.get_int64() == 1)) return v.get_int64() == 1;
      return std::nullopt;
    };
    if (a.is_bool() || b.is_bool()) return truth(a) && truth(a) == truth(b);
    const auto time = [](const json::Value& v) {
      return v.is_string() ? read_time(v.get_string()) : std::optional<std::int64_t>();
    };
    if (left && time(b)) return *left == static_cast<double>(*time(b));
    if (right && time(a)) return *right == static_cast<double>(*time(a));
    return false;
  }

  void numbers(const std::string& path, const json::Value& expected, const json::Value& actual) {
    if (same_number(expected, actual)) return;
    const double a = expected.to_number<double>();
    const double b = actual.to_number<double>();
    const bool whole = !expected.is_double() && !actual.is_double();
    const double apart = std::abs(a - b);
    const bool near = !whole && apart <= options_.tolerance * std::max({std::abs(a), std::abs(b), 1e-3});
    add(near ? Kind::kFloat : Kind::kValue, path, &expected, &actual);
  }

  void texts(const std::string& path, const json::Value& expected, const json::Value& actual) {
    const std::string_view a = expected.get_string();
    const std::string_view b = actual.get_string();
    if (a == b) return;
    const auto left = read_time(a);
    const auto right = read_time(b);
    if (!left || !right) return decimals(path, expected, actual);
    const std::int64_t shift = *right - *left;
    constexpr std::int64_t kDay = 86'400'000;
    const bool both_days = a.size() == 10 && b.size() == 10;
    if (shift == 0) return add(Kind::kTimeFormat, path, &expected, &actual);
    if (both_days && std::abs(shift) == kDay)
      return add(Kind::kTimeZone, path, &expected, &actual, fmt::format("{:+} day", shift / kDay));
    if (shift % 900'000 == 0 && std::abs(shift) <= 14 * 3'600'000LL)
      return add(Kind::kTimeZone, path, &expected, &actual, "shifted by " + hours(shift));
    add(Kind::kValue, path, &expected, &actual);
  }

  /// "12.50" and "12.5": the same number in another format.
  void decimals(const std::string& path, const json::Value& expected, const json::Value& actual) {
    const auto a = as_number(expected);
    const auto b = as_number(actual);
    const bool near =
        a && b && std::abs(*a - *b) <= options_.tolerance * std::max({std::abs(*a), std::abs(*b), 1e-3});
    const bool whole = expected.get_string().find_first_of(".eE") == std::string_view::npos &&
                       actual.get_string().find_first_of(".eE") == std::string_view::npos;
    add(near && !whole ? Kind::kFloat : Kind::kValue, path, &expected, &actual);
  }

  void tables(const std::string& path, const json::Object& expected, const json::Object& actual) {
    for (const auto& [key, value] : expected) {
      const std::string below = path.empty() ? std::string(key) : path + "." + std::string(key);
      const json::Value* other = actual.if_contains(key);
      if (other != nullptr) {
        compare(below, value, *other);
      } else {
        add(value.is_null() ? Kind::kNullMissing : Kind::kMissingKey, below, &value, nullptr);
      }
    }
    for (const auto& [key, value] : actual) {
      if (expected.if_contains(key) != nullptr) continue;
      const std::string below = path.empty() ? std::string(key) : path + "." + std::string(key);
      add(value.is_null() ? Kind::kNullMissing : Kind::kNewKey, below, nullptr, &value);
    }
  }

  void lists(const std::string& path, const json::Array& expected, const json::Array& actual) {
    const auto here = normal_forms(expected);
    const auto there = normal_forms(actual);
    if (expected.size() != actual.size()) return lengths(path, expected, actual, here, there);
    const auto left = sorted_places(here);
    const auto right = sorted_places(there);
    bool same = true;
    bool moved = false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      same = same && here[left[i]] == there[right[i]];
      moved = moved || here[i] != there[i];
    }
    if (!same || !moved) {  // other elements, or the same order: compare by position
      for (std::size_t i = 0; i < expected.size(); ++i)
        compare(fmt::format("{}[{}]", path, i), expected[i], actual[i]);
      return;
    }
    std::size_t first = 0;
    while (here[first] == there[first]) ++first;
    add(Kind::kOrder, path, &expected[first], &actual[first], fmt::format("from element {}", first));
    for (std::size_t i = 0; i < left.size(); ++i)
      compare(fmt::format("{}[{}]", path, left[i]), expected[left[i]], actual[right[i]]);
  }

  /// Reports the first element of each side that is missing on the other, by their normal forms.
  void lengths(const std::string& path, const json::Array& expected, const json::Array& actual,
               const std::vector<std::string>& here, const std::vector<std::string>& there) {
    std::multiset<std::string> left(here.begin(), here.end());
    std::multiset<std::string> right(there.begin(), there.end());
    const auto only = [](const json::Array& list, const std::vector<std::string>& forms,
                         const std::multiset<std::string>& other) -> const json::Value* {
      for (std::size_t i = 0; i < forms.size(); ++i) {
        if (!other.contains(forms[i])) return &list[i];
      }
      return nullptr;
    };
    add(Kind::kLength, path, only(expected, here, right), only(actual, there, left),
        fmt::format("{} elements, now {}", expected.size(), actual.size()));
  }

  CompareOptions options_;
  Comparison result_;
};

}  // namespace

std::string_view to_string(DifferenceKind kind) {
  for (const auto& [each, name] : kNames) {
    if (each == kind) return name;
  }
  return "value";
}

std::optional<DifferenceKind> parse_difference(std::string_view text) {
  for (const auto& [each, name] : kNames) {
    if (name == text) return each;
  }
  return std::nullopt;
}

bool Comparison::acceptable(const std::set<DifferenceKind>& allowed) const {
  return std::ranges::all_of(count, [&](const auto& entry) { return allowed.contains(entry.first); });
}

Comparison compare_json(const json::Value& expected, const json::Value& actual,
                        const CompareOptions& options) {
  JsonComparison comparison(options);
  comparison.compare("", expected, actual);
  return comparison.take();
}

}  // namespace gaur::app
