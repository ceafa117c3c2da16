#pragma once
// SQL with optional blocks and enumerated identifiers. The directives are SQL comments, so the text also runs
// in any SQL tool. A caller's values never become part of the SQL text: a block is included or not, and an
// identifier is one that the specification lists.
//
//   /*if name*/ ... /*else*/ ... /*end*/      the parameter was given (has a value that is not null)
//   /*if !name*/ ... /*end*/                  it was not
//   /*if name=value*/ ... /*end*/             its value, as text, is this one; also != ; also in quotes: 'a
//   b'
//   /*ident name*/sample                      the identifier after it is replaced by the parameter's value,
//   quoted
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::duckdb {

struct TemplateProblem {
  std::string message;
  /// Byte offset in the template.
  std::size_t position = 0;
};

struct Condition {
  std::string name;
  bool negated = false;
  /// Compared with the parameter's text; without: whether it has a value.
  std::optional<std::string> value;
  bool operator==(const Condition&) const = default;
};

/// SQL for DuckDB, with a mapping of its positions to the template.
struct RenderedSql {
  struct Piece {
    /// Byte offset in `text`.
    std::size_t from;
    /// Byte offset in the template.
    std::size_t origin;
    /// Byte by byte; else the whole piece maps to one place.
    bool copied;
  };
  std::string text;
  std::vector<Piece> pieces;
  std::size_t origin_of(std::size_t position) const;
};

/// Thread-safety: immutable after parse.
class SqlTemplate {
 public:
  /// Parses the directives and adds all problems. With any problem, the template must not be rendered.
  static SqlTemplate parse(std::string text, std::vector<TemplateProblem>& problems);

  /// `text_of(name)`: the parameter's value as text, or nothing if it is missing.
  using TextOf = std::function<std::optional<std::string>(std::string_view)>;
  RenderedSql render(const TextOf& text_of) const;
  /// The same with the conditions decided by the caller, for checks of every variant.
  using Decide = std::function<bool(const Condition&)>;
  RenderedSql render(const Decide& decide, const TextOf& text_of) const;

  const std::string& text() const { return text_; }
  /// Each once.
  const std::vector<Condition>& conditions() const { return conditions_; }
  const std::set<std::string>& identifiers() const {
    return identifiers_;
    /// Parameters used as identifiers.
  }

 private:
  struct Token {
    enum class Kind { kText, kIf, kElse, kEnd, kIdent } kind;
    std::size_t begin = 0;
    std::size_t end = 0;
    Condition condition;  // kIf; kIdent: its name
  };
  std::string text_;
  std::vector<Token> tokens_;
  std::vector<Condition> conditions_;
  std::set<std::string> identifiers_;
};

/// The word with which the statement begins, in capitals, or "("; behind EXPLAIN [ANALYZE] [(options)] that
/// of what is explained. Comments, spaces and leading semicolons are passed over.
std::string leading_word(std::string_view sql);

/// `name` as a quoted SQL identifier.
std::string quote_identifier(std::string_view name);
/// `text` as a quoted SQL literal.
std::string quote_literal(std::string_view text);

}  // namespace gaur::duckdb
