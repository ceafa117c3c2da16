#include "app/text/text_table.hpp"

#include <algorithm>

#include "app/text/text_width.hpp"
#include "base/unicode.hpp"

namespace gaur::app {

std::string strip_control_characters(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  for (std::size_t at = text.find('\xC2'); at != std::string::npos; at = text.find('\xC2', at + 1)) {
    const bool control =
        at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;  // U+0080 to U+009F
    if (control) text.replace(at, 2, "?");
  }
  return text;
}

TextTable::TextTable(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (std::string& heading : headings_) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
}

void TextTable::row(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  std::ranges::transform(cells, cells.begin(), strip_control_characters);
  rows_.push_back(std::move(cells));
}

std::string TextTable::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < headings_.size(); ++i) {
    std::size_t width = display_width(headings_[i]);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string written(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blanks(widths[i] - display_width(cells[i]), ' ');
      written += (i != 0 ? "  " : "") + (right_[i] ? blanks + cells[i] : cells[i] + blanks);
    }
    written.erase(written.find_last_not_of(' ') + 1);
    out += written + "\n";
  };
  line(headings_);
  for (const auto& row : rows_) line(row);
  return out;
}

std::string cut(std::string_view given, std::size_t width) {
  std::string text = strip_control_characters(std::string(given));
  if (display_width(text) <= width) return text;
  std::size_t end = 0;
  std::size_t used = 3;  // the dots
  while (end < text.size()) {
    const std::size_t next = end + unicode::piece_at(text, end).length;
    used += display_width(std::string_view(text).substr(end, next - end));
    if (used > width) break;
    end = next;
  }
  return text.substr(0, end) + "...";
}

}  // namespace gaur::app
