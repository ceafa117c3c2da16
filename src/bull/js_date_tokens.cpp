#include "bull/js_date_tokens.hpp"

#include <array>
#include <string>

#include "base/decimal_text.hpp"

namespace gaur::bull::js_date_tokens {

namespace {

struct Keyword {
  std::string_view prefix;
  Kind kind;
  int value;
};
constexpr std::array<Keyword, 27> kKeywords{{
    {"jan", Kind::kMonth, 1},  {"feb", Kind::kMonth, 2},   {"mar", Kind::kMonth, 3},
    {"apr", Kind::kMonth, 4},  {"may", Kind::kMonth, 5},   {"jun", Kind::kMonth, 6},
    {"jul", Kind::kMonth, 7},  {"aug", Kind::kMonth, 8},   {"sep", Kind::kMonth, 9},
    {"oct", Kind::kMonth, 10}, {"nov", Kind::kMonth, 11},  {"dec", Kind::kMonth, 12},
    {"am", Kind::kHalfDay, 0}, {"pm", Kind::kHalfDay, 12}, {"ut", Kind::kZone, 0},
    {"utc", Kind::kZone, 0},   {"z", Kind::kZone, 0},      {"gmt", Kind::kZone, 0},
    {"cdt", Kind::kZone, -5},  {"cst", Kind::kZone, -6},   {"edt", Kind::kZone, -4},
    {"est", Kind::kZone, -5},  {"mdt", Kind::kZone, -6},   {"mst", Kind::kZone, -7},
    {"pdt", Kind::kZone, -7},  {"pst", Kind::kZone, -8},   {"t", Kind::kTimeMark, 0},
}};

/// Letters, and every character after them in ASCII and beyond.
bool is_word(char c) {
  return static_cast<unsigned char>(c) >= 'A';
}

Token read_number(std::string_view text, std::size_t at) {
  Token token{.kind = Kind::kNumber, .begin = at};
  int significant = 0;
  for (; at < text.size() && is_digit(text[at]); ++at, ++token.length) {
    if (significant == 0 && text[at] == '0') continue;
    if (++significant <= 9) token.value = token.value * 10 + (text[at] - '0');
  }
  return token;
}

Token read_word(std::string_view text, std::size_t at) {
  Token token{.kind = Kind::kWord, .begin = at};
  std::string word;
  for (; at < text.size() && is_word(text[at]); ++at, ++token.length) {
    const char c = text[at];
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  for (const Keyword& keyword : kKeywords) {
    const bool same =
        keyword.kind == Kind::kMonth ? word.starts_with(keyword.prefix) : word == keyword.prefix;
    if (!same) continue;
    token.kind = keyword.kind;
    token.value = keyword.value;
    break;
  }
  return token;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    Token token;
    if (is_digit(text[at])) {
      token = read_number(text, at);
    } else if (is_word(text[at])) {
      token = read_word(text, at);
    } else {
      const bool space = text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r');
      token = {.kind = space ? Kind::kSpace : Kind::kSymbol, .value = text[at], .length = 1, .begin = at};
    }
    at += token.length;
    tokens.push_back(token);
  }
  tokens.push_back({});
  return tokens;
}

}  // namespace gaur::bull::js_date_tokens
