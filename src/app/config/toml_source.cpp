#include "app/config/toml_source.hpp"

#include <toml++/toml.h>

#include <sstream>

namespace gaur::app {
namespace {

class Reader {
 public:
  Reader(TomlDocument& document, std::string shown, std::string base)
      : document_(document), shown_(std::move(shown)), base_(std::move(base)) {}

  json::Object table(const toml::table& from, const KeyPath& path) {
    json::Object to;
    for (const auto& [key, node] : from) {
      KeyPath longer = path;
      longer.emplace_back(key.str());
      // A table's own place is its header; a value's place is its key, where one would look first.
      document_.origins[longer] =
          origin(node.is_table() && !node.as_table()->is_inline() ? node.source() : key.source());
      to[key.str()] = value(node, longer);
    }
    return to;
  }

  Origin origin(const toml::source_region& region) const {
    return {Origin::Kind::kToml, shown_, region.begin.line, region.begin.column, base_};
  }

 private:
  json::Value value(const toml::node& node, const KeyPath& path) {
    if (const auto* sub = node.as_table()) return table(*sub, path);
    if (const auto* list = node.as_array()) {
      json::Array to;
      for (const toml::node& entry : *list) to.push_back(value(entry, path));
      return to;
    }
    if (const auto* text = node.as_string()) return json::Value(text->get());
    if (const auto* whole = node.as_integer()) return json::Value(whole->get());
    if (const auto* number = node.as_floating_point()) return json::Value(number->get());
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
  std::string shown_, base_;
};

}  // namespace

tl::expected<TomlDocument, Problem> parse_toml(std::string_view text, const std::string& shown,
                                               const std::string& base) {
  TomlDocument document;
  Reader reader(document, shown, base);
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
