#include "app/config/settings.hpp"

#include <fmt/format.h>

#include <set>

#include "base/suggest.hpp"

namespace gaur::app {
namespace {

/// A row's default, read as if written. The schema's own defaults are held to be readable by a test.
json::Value fallback_of(const KeyRow& row) {
  if (row.fallback.empty()) return nullptr;
  auto value = read_value(row, json::Value(row.fallback), "", true);
  return value ? *std::move(value) : json::Value(nullptr);
}

KeyPath below(const KeyPath& path, std::string_view name) {
  KeyPath longer = path;
  longer.emplace_back(name);
  return longer;
}

Origin origin_in(const std::map<KeyPath, Origin>* origins, const KeyPath& path, const Origin& otherwise) {
  if (origins == nullptr) return otherwise;
  const auto it = origins->find(path);
  return it == origins->end() ? otherwise : it->second;
}

}  // namespace

void Settings::put(const KeyPath& path, const json::Value& given, const Origin& origin, bool from_text,
                   const std::map<KeyPath, Origin>* origins) {
  const KeyRow* row = find_row(path);
  if (row == nullptr) return put_table(path, given, origin, from_text, origins);
  auto value = read_value(*row, given, origin.base, from_text);
  if (!value) {
    problems_.push_back({origin, to_string(path), value.error().message});
    return;
  }
  if (path.size() > 2) name(path, origin);
  values_[path] = {*std::move(value), origin};
}

void Settings::put_table(const KeyPath& path, const json::Value& given, const Origin& origin, bool from_text,
                         const std::map<KeyPath, Origin>* origins) {
  if (!path.empty() && !is_table(path)) return unknown(path, origin);
  if (!given.is_object()) {
    problems_.push_back({origin, to_string(path), fmt::format("is a table, not {}", json::serialize(given))});
    return;
  }
  if (path.size() == 2) name(path, origin);
  for (const auto& [name, entry] : given.as_object()) {
    const KeyPath longer = below(path, name);
    put(longer, entry, origin_in(origins, longer, origin), from_text, origins);
  }
}

void Settings::name(const KeyPath& path, const Origin& origin) {
  names_.insert({path[0], path[1]});
  tables_.try_emplace({path[0], path[1]}, origin);
}

void Settings::unknown(const KeyPath& path, const Origin& origin) {
  KeyPath around = path;
  const std::string word = around.back();
  around.pop_back();
  while (!around.empty() && !is_table(around)) around.pop_back();
  problems_.push_back({origin, to_string(path), "unknown key" + did_you_mean(word, words_below(around))});
}

void Settings::problem(const KeyPath& path, std::string message) {
  problems_.push_back({origin(path), to_string(path), std::move(message)});
}

void Settings::remember(const std::map<KeyPath, Origin>& origins) {
  for (const auto& [path, origin] : origins) tables_.try_emplace(path, origin);
}

Origin Settings::origin(const KeyPath& path) const {
  if (const auto it = values_.find(path); it != values_.end()) return it->second.origin;
  for (KeyPath around = path; !around.empty(); around.pop_back()) {
    if (const auto it = tables_.find(around); it != tables_.end()) return it->second;
    if (const auto it = values_.find(around); it != values_.end()) return it->second.origin;
  }
  return {};
}

std::vector<std::string> Settings::names(std::string_view section) const {
  std::vector<std::string> found;
  for (const auto& [around, entry] : names_) {
    if (around == section) found.push_back(entry);
  }
  return found;
}

json::Value Settings::value(const KeyPath& path) const {
  if (const auto it = values_.find(path); it != values_.end()) return it->second.value;
  const KeyRow* row = find_row(path);
  return row == nullptr ? json::Value(nullptr) : fallback_of(*row);
}

std::string Settings::text(const KeyPath& path) const {
  const json::Value found = value(path);
  return found.is_string() ? std::string(found.as_string()) : "";
}

std::optional<std::uint64_t> Settings::maybe_whole(const KeyPath& path) const {
  const json::Value found = value(path);
  if (!found.is_int64()) return std::nullopt;
  return static_cast<std::uint64_t>(found.as_int64());
}

std::uint64_t Settings::whole(const KeyPath& path) const {
  return maybe_whole(path).value_or(0);
}

std::optional<double> Settings::number(const KeyPath& path) const {
  const json::Value found = value(path);
  if (!found.is_number()) return std::nullopt;
  return found.to_number<double>();
}

bool Settings::flag(const KeyPath& path) const {
  const json::Value found = value(path);
  return found.is_bool() && found.as_bool();
}

std::vector<std::string> Settings::texts(const KeyPath& path) const {
  std::vector<std::string> list;
  const json::Value found = value(path);
  if (!found.is_array()) return list;
  for (const json::Value& entry : found.as_array()) list.emplace_back(entry.as_string());
  return list;
}

std::vector<EffectiveSetting> Settings::effective() const {
  std::vector<EffectiveSetting> all;
  std::set<std::string> done;
  for (const KeyRow& row : schema()) {
    const std::string section(split(row.path)[0]);
    if (!done.insert(section).second) continue;
    const bool named = split(row.path)[1] == "*";
    for (const std::string& name : named ? names(section) : std::vector<std::string>{""}) {
      for (const KeyRow& key : schema()) {
        const auto parts = split(key.path);
        if (parts[0] != section) continue;
        KeyPath path(parts.begin(), parts.end());
        if (named) path[1] = name;
        const auto it = values_.find(path);
        const Origin from = it == values_.end() ? Origin{} : it->second.origin;
        all.push_back({path, &key, show_value(key, value(path)), from});
      }
    }
  }
  return all;
}

}  // namespace gaur::app
