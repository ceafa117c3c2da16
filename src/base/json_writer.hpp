#pragma once
// Writes JSON objects as text, member by member.
#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <string>
#include <string_view>

#include "base/json_text.hpp"

namespace gaur::json {

/// Appends one object to a string. Keys are written without escaping: they are literals of the program.
/// Thread-safety: confined to one thread.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  ObjectWriter& text(std::string_view key, std::string_view value) {
    name(key);
    out_ += quote(value);
    return *this;
  }
  /// JSON from outside, checked.
  ObjectWriter& json(std::string_view key, const Fragment& value) { return raw(key, value.view()); }
  /// JSON that this program has written.
  ObjectWriter& raw(std::string_view key, std::string_view json) {
    name(key);
    out_ += json;
    return *this;
  }
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> ObjectWriter& number(std::string_view key,
                                                                                     Number value) {
    name(key);
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return *this;
  }
  ObjectWriter& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  /// An array; `append(out, element)` writes each element.
  template <class Range, class Append>
  ObjectWriter& list(std::string_view key, const Range& range, Append append) {
    name(key);
    out_ += '[';
    bool first = true;
    for (const auto& element : range) {
      if (!first) out_ += ',';
      first = false;
      append(out_, element);
    }
    out_ += ']';
    return *this;
  }
  /// The key and its colon; the caller appends the value.
  void name(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

/// The object that `write(writer)` fills.
template <class Write>
std::string object(Write write) {
  std::string text;
  ObjectWriter writer(text);
  write(writer);
  writer.end();
  return text;
}

}  // namespace gaur::json
