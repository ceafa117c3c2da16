#include "app/config/dotenv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/files.hpp"

namespace gaur::app {
namespace {

constexpr std::uintmax_t kLargestFile = 1 << 20;
constexpr std::string_view kBom = "\xEF\xBB\xBF";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

bool is_name_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// CRLF and a carriage return alone end a line as well.
std::string line_feeds(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') lines += text[i];
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) lines += '\n';
  }
  return lines;
}

/// One pass over the text; at a mistake it goes on with the next line.
class DotenvReader {
 public:
  DotenvReader(std::string text, const std::string& shown, const std::string& base,
               std::vector<Problem>& problems)
      : content_(std::move(text)), text_(content_), shown_(shown), base_(base), problems_(problems) {}

  std::vector<Variable> read() {
    while (at_ < text_.size()) line();
    return std::move(variables_);
  }

 private:
  void line() {
    ++line_;
    skip_blanks();
    if (ends() || text_[at_] == '#') return skip_line();
    const Origin origin{Origin::Kind::kDotEnv, shown_, line_, 0, base_};
    const auto name = assignment();
    if (!name) return fail(origin, "no assignment: a line is NAME=value, a comment begins with #");
    skip_blanks();
    const char quote = ends() ? '\0' : text_[at_];
    if (quote != '\'' && quote != '"' && quote != '`') {
      variables_.push_back({*name, plain_value(), origin});
      return skip_line();
    }
    quoted_value(*name, quote, origin);
  }

  /// The name, with everything up to the first byte of the value eaten.
  std::optional<std::string> assignment() {
    std::string name = word();
    if (name == "export" && !ends() && is_blank(text_[at_])) {
      skip_blanks();
      name = word();
    }
    skip_blanks();
    if (name.empty() || ends()) return std::nullopt;
    const bool colon = text_[at_] == ':' && at_ + 1 < text_.size() && is_blank(text_[at_ + 1]);
    if (text_[at_] != '=' && !colon) return std::nullopt;
    ++at_;
    return name;
  }

  std::string plain_value() {
    const std::size_t end = std::min(text_.find_first_of("#\n", at_), text_.size());
    std::string value(trimmed(text_.substr(at_, end - at_)));
    at_ = end;
    return value;
  }

  void quoted_value(const std::string& name, char quote, const Origin& origin) {
    std::size_t end = closing(quote, true);
    // 'C:\' ends with its backslash: a quote that ends its line was meant to close.
    if (const std::size_t plain = closing(quote, false); !ends_line(end) && ends_line(plain)) end = plain;
    if (end == std::string_view::npos)
      return fail(origin, fmt::format("{}: the quote {} is not closed", name, quote));
    const std::string_view raw = text_.substr(at_ + 1, end - at_ - 1);
    std::string value = unescaped(raw, quote == '"');
    line_ += static_cast<std::uint32_t>(std::count(raw.begin(), raw.end(), '\n'));
    at_ = end + 1;
    skip_blanks();
    if (!ends() && text_[at_] != '#')
      return fail(origin, fmt::format("{}: unexpected text after the closing quote", name));
    variables_.push_back({name, std::move(value), origin});
    skip_line();
  }

  std::size_t closing(char quote, bool escapes) const {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += escapes && text_[end] == '\\' ? 2 : 1;
    return end < text_.size() ? end : std::string_view::npos;
  }

  /// Whether nothing but a comment follows the quote at `end`.
  bool ends_line(std::size_t end) const {
    if (end == std::string_view::npos) return false;
    const std::string_view rest = text_.substr(end + 1, text_.find('\n', end) - end - 1);
    return trimmed(rest).empty() || trimmed(rest).front() == '#';
  }

  static std::string unescaped(std::string_view raw, bool line_ends) {
    std::string value;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const char next = i + 1 < raw.size() ? raw[i + 1] : '\0';
      if (line_ends && raw[i] == '\\' && (next == 'n' || next == 'r')) {
        value += next == 'n' ? '\n' : '\r';
        ++i;
      } else {
        value += raw[i];
      }
    }
    return value;
  }

  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool ends() const { return at_ >= text_.size() || text_[at_] == '\n'; }
  void skip_blanks() {
    while (!ends() && is_blank(text_[at_])) ++at_;
  }
  void skip_line() {
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }
  void fail(const Origin& origin, std::string message) {
    problems_.push_back({origin, "", std::move(message)});
    skip_line();
  }

  const std::string content_;
  const std::string_view text_;
  const std::string& shown_;
  const std::string& base_;
  std::vector<Problem>& problems_;
  std::vector<Variable> variables_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 0;
};

}  // namespace

std::vector<Variable> parse_dotenv(std::string_view text, const std::string& shown, const std::string& base,
                                   std::vector<Problem>& problems) {
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  if (text.find('\0') != std::string_view::npos) {
    problems.push_back(
        {{Origin::Kind::kDotEnv, shown, 0, 0, base}, "", "is not UTF-8 (perhaps UTF-16); save it as UTF-8"});
    return {};
  }
  return DotenvReader(line_feeds(text), shown, base, problems).read();
}

std::vector<Variable> read_dotenv(const std::filesystem::path& file, const std::string& shown,
                                  std::vector<Problem>& problems) {
  const auto fail = [&](std::string message) {
    problems.push_back({{Origin::Kind::kDotEnv, shown, 0, 0, ""}, "", std::move(message)});
    return std::vector<Variable>{};
  };
  const auto text = read_file(file, kLargestFile);
  if (!text) return fail(text.error().message);
  return parse_dotenv(*text, shown, file.parent_path().string(), problems);
}

}  // namespace gaur::app
