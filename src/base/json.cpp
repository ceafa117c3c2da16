#include "base/json.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <iterator>

#include "base/json_document.hpp"
#include "base/lenient.hpp"
#include "base/try.hpp"
#include "base/unicode.hpp"

namespace gaur::json {

namespace {

std::string position_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format("line {}, column {}", line, column);
}

/// Boost writes a number outside the range of a double ("1e400") as Infinity, which is not JSON.
std::string with_json_infinities(const std::string& text) {
  constexpr std::string_view kWritten = "Infinity";
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\') {
      out.append(text, i++, 2);  // an escaped quote does not end the string
    } else if (!in_string && text.compare(i, kWritten.size(), kWritten) == 0) {
      out += "1e999";
      i += kWritten.size() - 1;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

Result<Value> parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{Errc::kTooLarge,
                 fmt::format("JSON of {} bytes, at most {} are allowed", text.size(), limits.max_bytes)};
  }
  boost::json::error_code problem;
  std::size_t read = 0;
  Value value = parse_document(text, limits.max_depth, read, problem);
  if (problem) {
    if (const auto whole = library_form(text)) {
      problem.clear();
      value = parse_document(*whole, limits.max_depth, read, problem);
    }
  }
  if (!problem) return value;
  return Error{Errc::kInvalidArgument,
               fmt::format("not JSON: {} at {}", problem.message(), position_of(text, read))};
}

Result<Object> parse_object(std::string_view text, const ParseLimits& limits) {
  GAUR_TRY(Value value, parse(text, limits));
  if (!value.is_object())
    return Error{Errc::kInvalidArgument, "a JSON object is expected, like {\"key\": \"value\"}"};
  return std::move(value.as_object());
}

std::string serialize(const Value& value) {
  std::string text = boost::json::serialize(value);
  if (text.find("Infinity") != std::string::npos) text = with_json_infinities(text);
  return unicode::is_utf8(text) ? text : unicode::to_utf8(text);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;  // what begins here is copied as it is
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    const unicode::Piece piece = unicode::piece_at(text, i);
    const std::size_t next = i + piece.length;
    if (piece.valid && piece.length > 1) {
      i = next;
      continue;
    }
    out.append(text, from, i - from);
    from = i = next;
    if (!piece.valid) {
      out += unicode::kReplacement;
      continue;
    }
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text, from);
  out += '"';
}

std::string quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(out, text);
  return out;
}

const Value* find(const Value& value, std::string_view dotted_path) {
  const Value* at = &value;
  while (!dotted_path.empty()) {
    const std::size_t dot = dotted_path.find('.');
    const std::string_view key = dotted_path.substr(0, dot);
    dotted_path = dot == std::string_view::npos ? "" : dotted_path.substr(dot + 1);
    const auto* object = at->if_object();
    if (object == nullptr) return nullptr;
    at = object->if_contains(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string text_or(const Object& object, std::string_view key, std::string_view default_value) {
  const Value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::string(default_value);
  return std::string(std::string_view(value->get_string()));
}

std::optional<std::int64_t> whole_number(const Value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_double()) {
    const double number = value.get_double();
    if (std::nearbyint(number) == number && std::abs(number) <= 9.0e15)
      return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

std::optional<std::int64_t> integer(const Object& object, std::string_view key) {
  const Value* value = object.if_contains(key);
  return value == nullptr ? std::nullopt : whole_number(*value);
}

bool is_utf8(std::string_view text) {
  return unicode::is_utf8(text);
}

}  // namespace gaur::json
