#include "http/slices.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace gaur::http {

namespace {

constexpr std::string_view kBlank = " \t\r\n";

/// A cursor over the text. Every step returns false if the text is malformed.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    skip_blanks();
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  /// The next value, without blanks around it.
  bool value(std::string_view& out) {
    skip_blanks();
    const std::size_t begin = at_;
    const bool found = peek() == '"'                    ? skip_string()
                       : peek() == '{' || peek() == '[' ? skip_nested()
                                                        : skip_plain();
    out = text_.substr(begin, at_ - begin);
    return found && !out.empty();
  }

 private:
  bool skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    at_ = text_.size();
    return false;
  }
  bool skip_nested() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!skip_string()) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }
  bool skip_plain() {
    at_ = std::min(text_.find_first_of(" \t\r\n,:]}[{\"", at_), text_.size());
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Error broken(std::string_view what) {
  return {Errc::kInvalidArgument, "not JSON: " + std::string(what) + " is expected"};
}

/// Possibly JSON of another kind, such as null.
Error wrong_kind(std::string_view wanted, std::string_view text) {
  return {Errc::kInvalidArgument,
          fmt::format("{} is expected, was {}", wanted, text.empty() ? "nothing" : utf8_prefix(text, 80))};
}

}  // namespace

char first_char(std::string_view text) {
  const std::size_t at = text.find_first_not_of(kBlank);
  return at == std::string_view::npos ? '\0' : text[at];
}

Result<std::vector<std::string_view>> split_array(std::string_view text) {
  Cursor cursor(text);
  std::vector<std::string_view> out;
  if (!cursor.take('[')) return wrong_kind("an array, like [...],", text);
  if (!cursor.take(']')) {
    do {
      std::string_view element;
      if (!cursor.value(element)) return broken("a value");
      out.push_back(element);
    } while (cursor.take(','));
    if (!cursor.take(']')) return broken("a comma or ]");
  }
  cursor.skip_blanks();
  if (!cursor.at_end()) return broken("the end after ]");
  return out;
}

Result<std::vector<std::pair<std::string_view, std::string_view>>> split_object(std::string_view text) {
  Cursor cursor(text);
  std::vector<std::pair<std::string_view, std::string_view>> out;
  if (!cursor.take('{')) return wrong_kind("an object, like {\"key\": \"value\"},", text);
  if (!cursor.take('}')) {
    do {
      std::string_view key, value;
      if (!cursor.value(key) || key.front() != '"') return broken("a key in double quotes");
      if (!cursor.take(':')) return broken("a colon");
      if (!cursor.value(value)) return broken("a value");
      out.emplace_back(key, value);
    } while (cursor.take(','));
    if (!cursor.take('}')) return broken("a comma or }");
  }
  cursor.skip_blanks();
  if (!cursor.at_end()) return broken("the end after }");
  return out;
}

}  // namespace gaur::http
