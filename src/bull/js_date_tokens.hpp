#pragma once
// The tokens of V8's date parser. Thread-safety: pure function.
#include <string_view>
#include <vector>

namespace gaur::bull::js_date_tokens {

enum class Kind { kEnd, kNumber, kMonth, kHalfDay, kZone, kTimeMark, kWord, kSpace, kSymbol };

struct Token {
  Kind kind = Kind::kEnd;
  /// Of a number; which month; hours of AM, PM and zones; the symbol.
  int value = 0;
  /// Of a number or word.
  std::size_t length = 0;
  /// In the text.
  std::size_t begin = 0;
  bool is(char symbol) const { return kind == Kind::kSymbol && value == symbol; }
  bool is_sign() const { return is('+') || is('-'); }
  bool digits(std::size_t count) const { return kind == Kind::kNumber && length == count; }
};

/// All tokens of the text; the last one is kEnd.
std::vector<Token> tokens_of(std::string_view text);

}  // namespace gaur::bull::js_date_tokens
