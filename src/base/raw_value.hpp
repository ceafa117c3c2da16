#pragma once
// A JSON value as it was written: its numbers keep all their digits. json::Value holds 64-bit numbers only.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_text.hpp"

namespace gaur::json {

/// Thread-safety: a value.
class RawValue {
 public:
  RawValue() : text_("null") {}
  /// `checked`: one JSON value, as members() and elements() return them.
  explicit RawValue(std::string_view checked) : text_(checked) {}
  static RawValue of(const Value& value);

  bool is_null() const { return text_.front() == 'n'; }
  bool is_bool() const { return text_.front() == 't' || text_.front() == 'f'; }
  bool is_string() const { return text_.front() == '"'; }
  bool is_array() const { return text_.front() == '['; }
  bool is_object() const { return text_.front() == '{'; }
  bool is_number() const { return text_.front() == '-' || (text_.front() >= '0' && text_.front() <= '9'); }

  /// The JSON.
  const std::string& text() const { return text_; }
  bool flag() const { return text_.front() == 't'; }
  /// A string's characters; "" for other kinds.
  std::string string() const;
  std::vector<RawValue> items() const;
  /// The last member of this name; nothing where there is none, or for other kinds.
  std::optional<RawValue> member(std::string_view key) const;
  std::vector<std::pair<std::string, RawValue>> members() const;
  /// The value at a dotted path, as json::find().
  std::optional<RawValue> find(std::string_view dotted_path) const;

 private:
  std::string text_;
};

/// The first number in checked JSON that json::Value would change: no whole number of 64 bits, and more
/// digits than a double keeps.
std::optional<std::string_view> inexact_number(std::string_view checked);

}  // namespace gaur::json
