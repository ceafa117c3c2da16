#include "app/config/toml_source.hpp"

#include <toml++/toml.h>

#include <sstream>

#include "base/decimal_text.hpp"

namespace gaur::app {
namespace {

class Reader {
 public:
  Reader(TomlDocument& document, std::string_view text, std::string shown, std::string base)
      : document_(document), text_(text), shown_(std::move(shown)), base_(std::move(base)) {}

  json::Object table(const toml::table& from, const KeyPath& path) {
    json::Object to;
    for (const auto& [key, node] : from) {
      KeyPath longer = path;
      longer.emplace_back(key.str());
      // A table's own place is its header; a value's place is its key, where one would look first.
      document_.origins[longer] =
          origin(node.is_table() && !node.as_table()->is_inline() ? node.source() : key.source());
      const std::size_t problems = document_.problems.size();
      json::Value read = value(node, longer);
      if (document_.problems.size() == problems || node.is_table()) to[key.str()] = std::move(read);
    }
    return to;
  }

  Origin origin(const toml::source_region& region) const {
    return {Origin::Kind::kToml, shown_, region.begin.line, region.begin.column, base_};
  }

 private:
  /// The text of the file from `begin` to `end`, which are on one line.
  std::string written(const toml::source_region& at) const {
    std::size_t from = 0;
    for (toml::source_index line = 1; line < at.begin.line; ++line) from = text_.find('\n', from) + 1;
    std::string found;
    toml::source_index column = 0;  // in characters
    for (; from < text_.size() && text_[from] != '\n' && column < at.end.column; ++from) {
      if ((static_cast<unsigned char>(text_[from]) & 0xC0U) != 0x80U) ++column;
      if (column >= at.begin.column && column < at.end.column) found += text_[from];
    }
    return found;
  }

  void check_digits(const toml::value<double>& number, const KeyPath& path) {
    std::string digits = written(number.source());
    std::erase(digits, '_');
    std::erase(digits, '+');
    if (!read_decimal(digits) || survives_double(digits)) return;
    document_.problems.push_back(
        {origin(number.source()), to_string(path),
         digits + " has more digits than a double can represent; write it in quotes"});
  }

  json::Value value(const toml::node& node, const KeyPath& path) {
    if (const auto* sub = node.as_table()) return table(*sub, path);
    if (const auto* list = node.as_array()) {
      json::Array to;
      for (const toml::node& entry : *list) to.push_back(value(entry, path));
      return to;
    }
    if (const auto* text = node.as_string()) return json::Value(text->get());
    if (const auto* whole = node.as_integer()) return json::Value(whole->get());
    if (const auto* number = node.as_floating_point()) {
      check_digits(*number, path);
      return json::Value(number->get());
    }
    if (const auto* flag = node.as_boolean()) return json::Value(flag->get());
    std::ostringstream text;  // dates and times, as TOML writes them
    node.visit([&text](const auto& entry) {
      if constexpr (toml::is_date<decltype(entry)> || toml::is_time<decltype(entry)> ||
                    toml::is_date_time<decltype(entry)>) {
        text << entry.get();
      }
    });
    return json::Value(text.str());
  }

  TomlDocument& document_;
  std::string_view text_;
  std::string shown_, base_;
};

}  // namespace

tl::expected<TomlDocument, Problem> parse_toml(std::string_view text, const std::string& shown,
                                               const std::string& base) {
  TomlDocument document;
  Reader reader(document, text, shown, base);
  try {
    const toml::table root = toml::parse(text, shown);
    document.root = reader.table(root, {});
  } catch (const toml::parse_error& error) {
    return tl::make_unexpected(
        Problem{reader.origin(error.source()), "", "no valid TOML: " + std::string(error.description())});
  }
  return document;
}

}  // namespace gaur::app
