#include "app/init/toml_writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/json.hpp"

namespace gaur::app {
namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
}

/// Replaces control characters, so that the text fits into a comment.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text;
}

}  // namespace

std::string toml_text(std::string_view text) {
  std::string quoted = json::quote(text);
  for (std::size_t at = quoted.find('\x7F'); at != std::string::npos; at = quoted.find('\x7F', at))
    quoted.replace(at, 1, "\\u007F");  // JSON allows DEL in a string, TOML does not
  return quoted;
}

std::string list_of(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  for (const std::string& word : words) all.push_back(toml_text(word));
  return fmt::format("[{}]", fmt::join(all, ", "));
}

std::string key_of(const std::string& key) {
  return is_bare_key(key) ? key : toml_text(key);
}

void TomlWriter::line(std::string_view text) {
  text_ += fmt::format("{}\n", text);
}

void TomlWriter::comment(std::string_view text) {
  line(fmt::format("# {}", one_line(std::string(text))));
}

void TomlWriter::set(std::string_view key, const std::string& value, const std::string& from) {
  line(fmt::format("{} = {}{}", key, value, from.empty() ? "" : "  # " + one_line(from)));
}

}  // namespace gaur::app
