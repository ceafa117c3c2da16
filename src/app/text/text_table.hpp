#pragma once
// Tables for a terminal, aligned by the columns that text takes there. Thread-safety: a value.
#include <string>
#include <string_view>
#include <vector>

namespace gaur::app {

class TextTable {
 public:
  /// A heading that begins with '>' stands, like its column, to the right.
  explicit TextTable(std::vector<std::string> headings);
  /// As many as headings.
  void row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  /// Every line indented by `indent` columns; no blanks at line ends. Control characters in cells become '?'.
  std::string text(std::size_t indent = 2) const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

/// The same text with every control character as '?': what others wrote must not steer the terminal.
std::string strip_control_characters(std::string text);

/// `text` made harmless and cut to `width` columns, with "..." at its end where it was longer.
std::string cut(std::string_view text, std::size_t width);

}  // namespace gaur::app
