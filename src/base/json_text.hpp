#pragma once
// JSON as text: checked and split without being rebuilt, so that numbers, escapes and the order of members
// are kept byte for byte. Thread-safety: pure functions.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace gaur::json {

/// The checks of parse() without creating a value.
Status check(std::string_view text, const ParseLimits& limits = {});

/// Limits of JSON from peers: the largest reply of Redis.
inline constexpr ParseLimits kPeerLimits{.max_bytes = std::size_t{512} << 20U, .max_depth = kPeerDepth};

/// A JSON value that may be embedded in other JSON: checked, UTF-8, on one line. Numbers, escapes (also of
/// lone surrogates) and the order of members are those of the source text.
class Fragment {
 public:
  /// What JSON.parse would accept of these bytes as Node decodes them: bytes that are not UTF-8 become
  /// U+FFFD. Errors: as check().
  static Result<Fragment> read(std::string_view bytes, const ParseLimits& limits = kPeerLimits);
  /// `bytes` if they are JSON, else a JSON string with them.
  static Fragment read_or_quote(std::string_view bytes);

  std::string_view view() const { return text_; }
  std::string take() && { return std::move(text_); }

 private:
  explicit Fragment(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// One member of an object. `value` is a view into the text given to members().
struct Member {
  std::string key;
  std::string_view value;
};
/// The members of an object, in order, values as raw text. Errors: as check(); not an object.
Result<std::vector<Member>> members(std::string_view text, const ParseLimits& limits = {});

/// The elements of an array, in order, as views into `text`. Errors: as check(); not an array.
Result<std::vector<std::string_view>> elements(std::string_view text, const ParseLimits& limits = {});

/// A checked object with one more member at its end: `key` without escaping, `value` checked JSON. All other
/// bytes are kept.
std::string with_member(std::string_view object, std::string_view key, std::string_view value);

/// Checked JSON without the white space between its tokens.
std::string compact(std::string_view checked);
/// Checked JSON on one line: raw line breaks, which occur only between tokens, become spaces.
std::string one_line(std::string_view checked);
/// The text of a JSON string literal, quotes included in the argument; nothing if it is none.
std::optional<std::string> unquote(std::string_view literal);

}  // namespace gaur::json
