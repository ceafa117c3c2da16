#pragma once
// The effective configuration as a flat map from key to value, with the origin of each value. Layers are
// added in the order gaur.toml, .env, environment, flags; later values replace earlier ones. Thread-safety:
// confined to one thread.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/origin.hpp"
#include "app/config/schema.hpp"
#include "base/json.hpp"

namespace gaur::app {

struct Setting {
  /// Durations in ms, sizes in bytes, paths absolute; "auto" stays text.
  json::Value value;
  Origin origin;
};

struct EffectiveSetting {
  KeyPath path;
  const KeyRow* row = nullptr;
  /// For display, with masked secrets.
  std::string shown;
  Origin origin;
};

class Settings {
 public:
  /// Sets `path` to `given` if the schema allows it, else adds a problem. `given` may be a table. `origins`
  /// contains the origins of the parts below `path`. If `from_text` (flags, variables), numbers, lists and
  /// other types are parsed from text.
  void put(const KeyPath& path, const json::Value& given, const Origin& origin, bool from_text = false,
           const std::map<KeyPath, Origin>* origins = nullptr);

  /// The names under "queues", "pools" or "functions", sorted.
  std::vector<std::string> names(std::string_view section) const;
  /// The value of a key: the one that was set, else its default, else null.
  json::Value value(const KeyPath& path) const;
  bool is_set(const KeyPath& path) const { return values_.contains(path); }
  /// The origin of the value, or of the innermost table that contains the key.
  Origin origin(const KeyPath& path) const;
  void remember(const std::map<KeyPath, Origin>& origins);

  std::string text(const KeyPath& path) const;
  std::uint64_t whole(const KeyPath& path) const;
  /// std::nullopt: auto or not set.
  std::optional<double> number(const KeyPath& path) const;
  std::optional<std::uint64_t> maybe_whole(const KeyPath& path) const;
  bool flag(const KeyPath& path) const;
  std::vector<std::string> texts(const KeyPath& path) const;

  void problem(const KeyPath& path, std::string message);
  void problem(Problem problem) { problems_.push_back(std::move(problem)); }
  const std::vector<Problem>& problems() const { return problems_; }

  /// Every key of every section and name, including defaults, in the order of the schema.
  std::vector<EffectiveSetting> effective() const;

 private:
  void put_table(const KeyPath& path, const json::Value& given, const Origin& origin, bool from_text,
                 const std::map<KeyPath, Origin>* origins);
  void name(const KeyPath& path, const Origin& origin);
  void unknown(const KeyPath& path, const Origin& origin);

  std::map<KeyPath, Setting> values_;
  /// Where each table and key was written.
  std::map<KeyPath, Origin> tables_;
  /// The existing (section, name) pairs.
  std::set<std::pair<std::string, std::string>> names_;
  std::vector<Problem> problems_;
};

/// Reads a value by the rule of its row. Errors: kInvalidArgument with the rule and the value.
Result<json::Value> read_value(const KeyRow& row, const json::Value& given, const std::string& base,
                               bool from_text);
/// A value as a user would write it; secrets as "(secret)".
std::string show_value(const KeyRow& row, const json::Value& value);

}  // namespace gaur::app
