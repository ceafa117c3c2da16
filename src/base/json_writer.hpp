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
    append_quoted(out_, value);
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
  /// JSON that this program has written, under a key that is not a literal of the program.
  ObjectWriter& member(std::string_view key, std::string_view json) {
    comma();
    append_quoted(out_, key);
    out_ += ':';
    out_ += json;
    return *this;
  }
  /// An object that `write(writer)` fills.
  template <class Write>
  ObjectWriter& object(std::string_view key, Write write) {
    name(key);
    ObjectWriter inner(out_);
    write(inner);
    inner.end();
    return *this;
  }
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
  /// An array of objects; `write(writer, element)` fills each.
  template <class Range, class Write>
  ObjectWriter& objects(std::string_view key, const Range& range, Write write) {
    return list(key, range, [&](std::string& out, const auto& element) {
      ObjectWriter inner(out);
      write(inner, element);
      inner.end();
    });
  }
  /// The key and its colon; the caller appends the value.
  void name(std::string_view key) {
    comma();
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  void end() { out_ += '}'; }

 private:
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }

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
