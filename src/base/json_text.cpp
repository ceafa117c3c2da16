#include "base/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

#include "base/json_document.hpp"
#include "base/lenient.hpp"
#include "base/try.hpp"
#include "base/unicode.hpp"

namespace gaur::json {

namespace {

/// Ignores all events of the parser.
struct NullHandler : UnboundedHandler {
  bool on_document_begin(Problem&) { return true; }
  bool on_document_end(Problem&) { return true; }
  bool on_object_begin(Problem&) { return true; }
  bool on_object_end(std::size_t, Problem&) { return true; }
  bool on_array_begin(Problem&) { return true; }
  bool on_array_end(std::size_t, Problem&) { return true; }
  bool on_key_part(Text, std::size_t, Problem&) { return true; }
  bool on_key(Text, std::size_t, Problem&) { return true; }
  bool on_string_part(Text, std::size_t, Problem&) { return true; }
  bool on_string(Text, std::size_t, Problem&) { return true; }
  bool on_number_part(Text, Problem&) { return true; }
  bool on_int64(std::int64_t, Text, Problem&) { return true; }
  bool on_uint64(std::uint64_t, Text, Problem&) { return true; }
  bool on_double(double, Text, Problem&) { return true; }
  bool on_bool(bool, Problem&) { return true; }
  bool on_null(Problem&) { return true; }
  bool on_comment_part(Text, Problem&) { return true; }
  bool on_comment(Text, Problem&) { return true; }
};

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

/// The position after the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

/// The position after the value that begins at `at`. The text is checked, so brackets match.
std::size_t skip_value(std::string_view text, std::size_t at) {
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && !is_space(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']')
      ++at;
    return at;
  }
  std::size_t depth = 0;
  while (true) {
    switch (text[at]) {
      case '"': at = skip_string(text, at); continue;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default: break;
    }
    ++at;
  }
}

Status check_once(std::string_view text, std::size_t max_depth) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::basic_parser<NullHandler> parser(options);
  boost::json::error_code problem;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), problem);
  if (!problem && skip_space(text, read) < text.size()) problem = boost::json::error::extra_data;
  if (!problem) return ok();
  return Error{Errc::kInvalidArgument, fmt::format("not JSON: {} at byte {}", problem.message(), read + 1)};
}

}  // namespace

Status check(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{Errc::kTooLarge,
                 fmt::format("JSON of {} bytes, at most {} are allowed", text.size(), limits.max_bytes)};
  }
  Status good = check_once(text, limits.max_depth);
  if (!good) {
    if (const auto whole = library_form(text)) good = check_once(*whole, limits.max_depth);
  }
  return good;
}

Result<std::vector<Member>> members(std::string_view text, const ParseLimits& limits) {
  GAUR_CHECK(check(text, limits));
  std::size_t at = skip_space(text, 0);
  if (text[at] != '{') return Error{Errc::kInvalidArgument, "a JSON object is expected"};
  std::vector<Member> found;
  at = skip_space(text, at + 1);
  while (text[at] != '}') {
    if (text[at] == ',') at = skip_space(text, at + 1);
    const std::size_t key_end = skip_string(text, at);
    auto key = unquote(text.substr(at, key_end - at));
    const std::size_t begin = skip_space(text, skip_space(text, key_end) + 1);
    const std::size_t end = skip_value(text, begin);
    found.push_back({key ? *std::move(key) : std::string(), text.substr(begin, end - begin)});
    at = skip_space(text, end);
  }
  return found;
}

Result<std::vector<std::string_view>> elements(std::string_view text, const ParseLimits& limits) {
  GAUR_CHECK(check(text, limits));
  std::size_t at = skip_space(text, 0);
  if (text[at] != '[') return Error{Errc::kInvalidArgument, "a JSON array is expected"};
  std::vector<std::string_view> found;
  at = skip_space(text, at + 1);
  while (text[at] != ']') {
    if (text[at] == ',') at = skip_space(text, at + 1);
    const std::size_t end = skip_value(text, at);
    found.push_back(text.substr(at, end - at));
    at = skip_space(text, end);
  }
  return found;
}

Result<Fragment> Fragment::read(std::string_view bytes, const ParseLimits& limits) {
  std::string text = unicode::is_utf8(bytes) ? std::string(bytes) : unicode::to_utf8(bytes);
  GAUR_CHECK(check(text, limits));
  // Raw line breaks occur only between tokens.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return Fragment(std::move(text));
}

Fragment Fragment::read_or_quote(std::string_view bytes) {
  auto fragment = read(bytes, kPeerLimits);
  return fragment ? *std::move(fragment) : Fragment(quote(bytes));
}

std::string with_member(std::string_view object, std::string_view key, std::string_view value) {
  const std::size_t close = object.rfind('}');
  const std::size_t open = object.find('{');
  const bool empty =
      object.substr(open + 1, close - open - 1).find_first_not_of(" \t\r\n") == std::string_view::npos;
  return fmt::format("{}{}\"{}\":{}{}", object.substr(0, close), empty ? "" : ",", key, value,
                     object.substr(close));
}

std::string compact(std::string_view checked) {
  std::string out;
  out.reserve(checked.size());
  for (std::size_t at = 0; at < checked.size();) {
    if (checked[at] == '"') {
      const std::size_t end = skip_string(checked, at);
      out.append(checked.substr(at, end - at));
      at = end;
    } else {
      if (!is_space(checked[at])) out += checked[at];
      ++at;
    }
  }
  return out;
}

std::string one_line(std::string_view checked) {
  std::string out(checked);
  for (char& c : out) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return out;
}

std::optional<std::string> unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != '"') return std::nullopt;
  if (literal.find('\\') == std::string_view::npos) return std::string(literal.substr(1, literal.size() - 2));
  auto value = parse(literal);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(std::string_view(value->get_string()));
}

}  // namespace gaur::json
