#include "runner/stderr_tail.hpp"

#include <algorithm>

#include "base/json_text.hpp"
#include "base/utf8.hpp"

namespace gaur {
namespace {

constexpr std::size_t kMostLines = 20;
constexpr std::size_t kLineBytes = 300;

/// The position after the terminal sequence that begins at `at` (an escape character).
std::size_t skip_sequence(std::string_view text, std::size_t at) {
  ++at;
  if (at >= text.size() || text[at] != '[') return std::min(at + 1, text.size());
  for (++at; at < text.size(); ++at) {
    if (text[at] >= '@' && text[at] <= '~') return at + 1;
  }
  return at;
}

bool is_node_trailer(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return true;
  const std::string_view words = line.substr(begin);
  return words.starts_with("Node.js v") || (begin > 0 && words.starts_with("at ")) || words == "}";
}

}  // namespace

std::string plain_line(std::string_view line, std::size_t bytes) {
  // Control characters of a long line must not cost more than its text.
  constexpr std::size_t kScannedFactor = 4;
  line = line.substr(0, bytes * kScannedFactor);
  std::string text;
  for (std::size_t at = 0; at < line.size();) {
    const auto c = static_cast<unsigned char>(line[at]);
    if (c == 0x1B) {
      at = skip_sequence(line, at);
      continue;
    }
    if (c == '\t') text += ' ';
    if (c >= 0x20 && c != 0x7F) text += line[at];
    ++at;
  }
  text = json::unquote(json::quote(text)).value_or("");  // invalid UTF-8 becomes U+FFFD
  cut_utf8(text, bytes);
  return text;
}

void StderrTail::add(std::string_view line) {
  std::string plain = plain_line(line, kLineBytes);
  if (plain.find_first_not_of(' ') == std::string::npos) return;
  if (lines_.size() == kMostLines) lines_.pop_front();
  lines_.push_back(std::move(plain));
}

std::string StderrTail::likely_cause() const {
  const auto found = std::find_if(lines_.rbegin(), lines_.rend(),
                                  [](const std::string& line) { return !is_node_trailer(line); });
  if (found != lines_.rend()) return *found;
  return lines_.empty() ? "" : lines_.back();
}

std::string StderrTail::text() const {
  std::string text;
  for (const std::string& line : lines_) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace gaur
