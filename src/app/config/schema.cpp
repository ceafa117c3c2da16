#include "app/config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/json.hpp"
#include "base/json_text.hpp"

namespace gaur::app {
namespace {

constexpr std::string_view kAnyName = "*";

/// Whether `path` agrees with the first parts of `row`.
bool begins(const std::vector<std::string_view>& row, const KeyPath& path) {
  if (path.size() > row.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (row[i] != kAnyName && row[i] != path[i]) return false;
  }
  return true;
}

std::string kind_name(const KeyRow& row) {
  switch (row.kind) {
    case Kind::kText: return "text";
    case Kind::kSecret: return "secret";
    case Kind::kPath: return "path";
    case Kind::kStoreUrl: return "url";
    case Kind::kWhole: return "whole number";
    case Kind::kNumber: return "number";
    case Kind::kFlag: return "true or false";
    case Kind::kDuration: return "duration";
    case Kind::kSize: return "size";
    case Kind::kTexts: return "list of text";
    case Kind::kPaths: return "list of paths";
    case Kind::kTextTable: return "table of text";
    case Kind::kJson: return "table";
    case Kind::kChoice: break;
  }
  std::string words;
  std::string_view rest = row.choices;
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    if (!words.empty()) words += ", ";
    words += fmt::format("`{}`", rest.substr(0, bar));
    rest = bar == std::string_view::npos ? "" : rest.substr(bar + 1);
  }
  return words;
}

std::string section_title(std::string_view section) {
  const std::string names = std::string(section) + ".*.";
  const bool named =
      std::ranges::any_of(schema(), [&](const KeyRow& row) { return row.path.starts_with(names); });
  return named ? fmt::format("[{}.NAME]", section) : fmt::format("[{}]", section);
}

std::string fallback_text(const KeyRow& row) {
  if (row.required) return "required";
  if (row.fallback.empty()) return "none";
  return fmt::format("`{}`", row.fallback);
}

}  // namespace

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dot = path.find('.');
    parts.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

std::string to_string(const KeyPath& path) {
  std::string text;
  for (const std::string& part : path) {
    if (!text.empty()) text += '.';
    const bool plain = !part.empty() && std::ranges::all_of(part, [](char c) {
      return static_cast<unsigned char>(c) > 0x7F || std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("_-:/{}~").find(c) != std::string_view::npos;
    });
    text += plain ? part : json::quote(part);
  }
  return text;
}

namespace {

/// The end of the quoted text that begins at `at`, its quote included; the text's end where none closes it.
std::size_t quoted_end(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

}  // namespace

KeyPath parse_path(std::string_view text) {
  KeyPath path(1);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '"' ? quoted_end(text, at) : at + 1;
    const std::string_view piece = text.substr(at, end - at);
    if (piece == ".") {
      path.emplace_back();
    } else if (piece.size() > 1) {
      path.back() += json::unquote(piece).value_or(std::string(piece));
    } else {
      path.back() += piece;
    }
    at = end;
  }
  return path;
}

std::size_t path_end(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != '=') at = text[at] == '"' ? quoted_end(text, at) : at + 1;
  return at;
}

const KeyRow* find_row(const KeyPath& path) {
  for (const KeyRow& row : schema()) {
    const auto parts = split(row.path);
    if (parts.size() == path.size() && begins(parts, path)) return &row;
  }
  return nullptr;
}

bool is_table(const KeyPath& path) {
  return std::ranges::any_of(schema(), [&](const KeyRow& row) {
    const auto parts = split(row.path);
    return parts.size() > path.size() && begins(parts, path);
  });
}

std::vector<std::string> words_below(const KeyPath& path) {
  std::vector<std::string> words;
  for (const KeyRow& row : schema()) {
    const auto parts = split(row.path);
    if (parts.size() <= path.size() || !begins(parts, path)) continue;
    const std::string_view word = parts[path.size()];
    if (word != kAnyName && std::ranges::find(words, word) == words.end()) words.emplace_back(word);
  }
  return words;
}

std::string type_name(const KeyRow& row) {
  return kind_name(row) + (row.or_auto ? " or `auto`" : "");
}

std::string markdown_tables() {
  std::string text;
  std::string section;
  for (const KeyRow& row : schema()) {
    const auto parts = split(row.path);
    if (parts[0] != section) {
      section = parts[0];
      text += fmt::format("{}### `{}`\n\n| key | takes | default | what |\n|---|---|---|---|\n",
                          text.empty() ? "" : "\n", section_title(section));
    }
    const std::size_t skip = section.size() + (parts[1] == kAnyName ? 3 : 1);
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.path.substr(skip), type_name(row),
                        fallback_text(row), row.doc);
  }
  return text;
}

}  // namespace gaur::app
