#pragma once
// Interface to the JSON library (Boost.JSON): bounded parsing with the position of errors, and the look-ups
// that job data needs. All other code carries JSON as text.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

/// Most levels of nesting in JSON from peers. JSON.parse has no limit.
inline constexpr std::size_t kPeerDepth = 512;
/// A frame to or from a runner is one level around a job's data or result.
inline constexpr std::size_t kFrameDepth = kPeerDepth + 2;

struct ParseLimits {
  std::size_t max_bytes = 8 << 20;
  std::size_t max_depth = 64;
};

/// Accepts what JSON.parse accepts: halves of surrogate pairs are read as U+FFFD, of members with the same
/// name the last counts. Errors: kTooLarge; kInvalidArgument with line, column and the rule broken. UTF-8 is
/// verified.
Result<Value> parse(std::string_view text, const ParseLimits& limits = {});
/// The same, and it must be an object.
Result<Object> parse_object(std::string_view text, const ParseLimits& limits = {});

/// Compact text on one line; every control character escaped. Bytes that are not UTF-8 become U+FFFD, and
/// infinite numbers 1e999, which every parser reads as infinite.
std::string serialize(const Value& value);
/// `text` as a JSON string literal, quotes included. Bytes that are not UTF-8 become U+FFFD, as in Node.
std::string quote(std::string_view text);
/// Appends what quote() returns.
void append_quoted(std::string& out, std::string_view text);

/// The value at a dotted path ("data.params"), or nullptr. "" is the value itself.
const Value* find(const Value& value, std::string_view dotted_path);
/// A text member of an object, or `default_value`.
std::string text_or(const Object& object, std::string_view key, std::string_view default_value);
/// A whole number of 64 bits (also written 3.0), or nothing.
std::optional<std::int64_t> whole_number(const Value& value);
/// A whole-number member (also written 3.0), or nothing.
std::optional<std::int64_t> integer(const Object& object, std::string_view key);

bool is_utf8(std::string_view text);

}  // namespace gaur::json
