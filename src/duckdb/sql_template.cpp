#include "duckdb/sql_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "duckdb/sql_lexer.hpp"

namespace gaur::duckdb {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::string doubled(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted + quote;
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_word) &&
         std::isdigit(static_cast<unsigned char>(name[0])) == 0;
}

std::optional<Condition> read_condition(std::string_view text) {
  Condition condition;
  text = trim(text);
  const auto equals = text.find('=');
  auto name = text;
  if (equals != std::string_view::npos) {
    auto value = trim(text.substr(equals + 1));
    name = text.substr(0, equals);
    if (name.ends_with('!')) {
      condition.negated = true;
      name.remove_suffix(1);
    }
    if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
      value = value.substr(1, value.size() - 2);
    condition.value = std::string(value);
  } else if (name.starts_with('!')) {
    condition.negated = true;
    name.remove_prefix(1);
  }
  condition.name = trim(name);
  if (!is_name(condition.name)) return std::nullopt;
  return condition;
}

/// The identifier that starts at `at`: plain or quoted.
std::size_t sample_end(std::string_view sql, std::size_t at) {
  if (at < sql.size() && sql[at] == '"') return skip_quoted(sql, at);
  return skip_word(sql, at);
}

}  // namespace

std::string leading_word(std::string_view sql) {
  std::size_t at = 0;
  const auto word = [&] {
    at = skip_blank(sql, at);
    std::string found;
    for (const auto end = skip_word(sql, at); at < end; ++at)
      found += static_cast<char>(std::toupper(static_cast<unsigned char>(sql[at])));
    return found.empty() && at < sql.size() ? std::string(1, sql[at]) : found;
  };
  auto found = word();
  if (found != "EXPLAIN") return found;
  found = word();
  if (found == "ANALYZE") found = word();
  if (found == "(") {  // options, unless a query in parentheses is explained: what is behind them must be a
                       // query then, too
    const auto close = sql.find(')', at);
    const auto inner = sql.substr(at + 1, close == std::string_view::npos ? 0 : close - at - 1);
    const auto first = leading_word(inner);
    if (first == "FORMAT" || first == "ANALYZE") {
      at = close + 1;
      found = word();
    }
  }
  return found;
}

std::string quote_identifier(std::string_view name) {
  return doubled(name, '"');
}
std::string quote_literal(std::string_view text) {
  return doubled(text, '\'');
}

std::size_t RenderedSql::origin_of(std::size_t position) const {
  auto piece = std::upper_bound(pieces.begin(), pieces.end(), position,
                                [](std::size_t at, const Piece& each) { return at < each.from; });
  if (piece == pieces.begin()) return 0;
  --piece;
  return piece->copied ? piece->origin + (position - piece->from) : piece->origin;
}

SqlTemplate SqlTemplate::parse(std::string text, std::vector<TemplateProblem>& problems) {
  SqlTemplate parsed;
  parsed.text_ = std::move(text);
  const std::string_view sql = parsed.text_;
  std::vector<Token> open;
  std::size_t from = 0;
  const auto add = [&](Token token) {
    if (token.begin > from) parsed.tokens_.push_back({Token::Kind::kText, from, token.begin, {}});
    from = token.end;
    parsed.tokens_.push_back(std::move(token));
  };
  const auto directive = [&](std::string_view body, std::size_t begin, std::size_t end) {
    if (body.starts_with("if ") || body == "if") {
      auto condition = read_condition(body.substr(2));
      if (!condition)
        problems.push_back(
            {"an if needs a parameter: /*if name*/, /*if !name*/ or /*if name=value*/", begin});
      const Token token{Token::Kind::kIf, begin, end, condition.value_or(Condition{})};
      open.push_back(token);
      if (condition && std::find(parsed.conditions_.begin(), parsed.conditions_.end(), *condition) ==
                           parsed.conditions_.end()) {
        parsed.conditions_.push_back(*condition);
      }
      add(token);
    } else if (body == "else" || body == "end") {
      if (open.empty()) {
        problems.push_back({fmt::format("/*{}*/ without an /*if ...*/ before it", body), begin});
      } else if (body == "end") {
        open.pop_back();
      } else if (open.back().kind == Token::Kind::kElse) {
        problems.push_back({"a second /*else*/ in one block", begin});
      } else {
        open.back().kind = Token::Kind::kElse;
      }
      add({body == "end" ? Token::Kind::kEnd : Token::Kind::kElse, begin, end, {}});
    } else if (body.starts_with("ident ")) {
      Condition named;
      named.name = trim(body.substr(6));
      const auto after = sample_end(sql, end);
      if (!is_name(named.name))
        problems.push_back({"an ident needs a parameter: /*ident name*/sample", begin});
      if (after == end) {
        problems.push_back({"an identifier must follow right after /*ident " + named.name +
                                "*/; it is the sample that is replaced",
                            begin});
      }
      parsed.identifiers_.insert(named.name);
      add({Token::Kind::kIdent, begin, after, named});
    }
  };
  for (std::size_t at = 0; at < sql.size();) {
    if (sql.substr(at).starts_with("/*")) {
      const auto end = skip_comment(sql, at);
      if (end - at >= 4) directive(trim(sql.substr(at + 2, end - at - 4)), at, end);
      at = std::max(end, from);
      continue;
    }
    at = std::max(skip_quoted(sql, at), at + 1);
  }
  for (const auto& token : open) problems.push_back({"this block has no /*end*/", token.begin});
  if (from < sql.size()) parsed.tokens_.push_back({Token::Kind::kText, from, sql.size(), {}});
  return parsed;
}

RenderedSql SqlTemplate::render(const TextOf& text_of) const {
  return render(
      [&](const Condition& condition) {
        const auto text = text_of(condition.name);
        const bool holds = condition.value ? text == condition.value : text.has_value();
        return holds != condition.negated;
      },
      text_of);
}

RenderedSql SqlTemplate::render(const Decide& decide, const TextOf& text_of) const {
  RenderedSql rendered;
  std::vector<bool> taken;  // one for each open block: whether the branch is written
  const auto writing = [&] { return std::find(taken.begin(), taken.end(), false) == taken.end(); };
  // a directive is a comment, and a comment separates words as a space does
  const auto space = [&](const Token& token) {
    rendered.pieces.push_back({rendered.text.size(), token.begin, false});
    rendered.text += ' ';
  };
  for (const auto& token : tokens_) {
    switch (token.kind) {
      case Token::Kind::kIf:
        space(token);
        taken.push_back(decide(token.condition));
        break;
      case Token::Kind::kElse: taken.back() = !taken.back(); break;
      case Token::Kind::kEnd:
        taken.pop_back();
        space(token);
        break;
      case Token::Kind::kText:
        if (!writing()) break;
        rendered.pieces.push_back({rendered.text.size(), token.begin, true});
        rendered.text.append(text_, token.begin, token.end - token.begin);
        break;
      case Token::Kind::kIdent: {
        if (!writing()) break;
        rendered.pieces.push_back({rendered.text.size(), token.begin, false});
        const auto name = text_of(token.condition.name);
        const auto sample = text_.find("*/", token.begin) + 2;
        rendered.text += name ? quote_identifier(*name) : text_.substr(sample, token.end - sample);
        break;
      }
    }
  }
  return rendered;
}

}  // namespace gaur::duckdb
