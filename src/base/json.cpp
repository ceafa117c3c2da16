#include "base/json.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/json_document.hpp"

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

/// Length of the UTF-8 sequence at `at`, or 0 if it is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(at + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(at + 1) || !continues(at + 2)) return 0;
    if (lead == 0xE0 && byte(at + 1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(at + 1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(at + 1) || !continues(at + 2) || !continues(at + 3)) return 0;
    if (lead == 0xF0 && byte(at + 1) < 0x90) return 0;
    if (lead == 0xF4 && byte(at + 1) > 0x8F) return 0;
    return 4;
  }
  return 0;
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
    return Error{Errc::kInvalidArgument,
                 fmt::format("not JSON: {} at {}", problem.message(), position_of(text, read))};
  }
  return value;
}

Result<Object> parse_object(std::string_view text, const ParseLimits& limits) {
  GAUR_TRY(Value value, parse(text, limits));
  if (!value.is_object())
    return Error{Errc::kInvalidArgument, "a JSON object is expected, like {\"key\": \"value\"}"};
  return std::move(value.as_object());
}

std::string serialize(const Value& value) {
  return boost::json::serialize(value);
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else if (length > 1) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
          if (c < 0x20 || c == 0x7F) {
            out += fmt::format("\\u{:04x}", c);
          } else {
            out += static_cast<char>(c);
          }
      }
      ++i;
    }
  }
  return out += '"';
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

std::string text_or(const Object& object, std::string_view key, std::string_view otherwise) {
  const Value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::string(otherwise);
  return std::string(std::string_view(value->get_string()));
}

std::optional<std::int64_t> integer(const Object& object, std::string_view key) {
  const Value* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double()) {
    const double number = value->get_double();
    if (std::nearbyint(number) == number && std::abs(number) <= 9.0e15)
      return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

}  // namespace gaur::json
