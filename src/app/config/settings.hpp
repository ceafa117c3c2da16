#pragma once
// The effective configuration as a flat map from key to value, and each value's origin. Layers are put in one
// after the other, the later winning: gaur.toml, .env, the environment, flags. Thread-safety: confined to one
// thread.
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
  /// For people; secrets masked.
  std::string shown;
  Origin origin;
};

class Settings {
 public:
  /// Takes `given` for `path` if it agrees with the schema, else adds a problem. `given` may be a table.
  /// `origin_of` tells the origin of the parts below `path`. From text (a flag, a variable) numbers, lists
  /// and the like are read out of it.
  void put(const KeyPath& path, const json::Value& given, const Origin& origin, bool from_text = false,
           const std::map<KeyPath, Origin>* origins = nullptr);

  /// The names under "queues", "pools" or "functions", sorted.
  std::vector<std::string> names(std::string_view section) const;
  /// The value of a key: as put, else its default, else null.
  json::Value value(const KeyPath& path) const;
  bool is_set(const KeyPath& path) const { return values_.contains(path); }
  /// Of the value, or of the nearest table around it.
  Origin origin(const KeyPath& path) const;
  void remember(const std::map<KeyPath, Origin>& origins);

  std::string text(const KeyPath& path) const;
  std::uint64_t whole(const KeyPath& path) const;
  /// Nothing: auto or not set.
  std::optional<double> number(const KeyPath& path) const;
  std::optional<std::uint64_t> maybe_whole(const KeyPath& path) const;
  bool flag(const KeyPath& path) const;
  std::vector<std::string> texts(const KeyPath& path) const;

  void problem(const KeyPath& path, std::string message);
  void problem(Problem problem) { problems_.push_back(std::move(problem)); }
  const std::vector<Problem>& problems() const { return problems_; }

  /// Every key of every section and name, defaults included, in the order of the schema.
  std::vector<EffectiveSetting> effective() const;

 private:
  void put_table(const KeyPath& path, const json::Value& given, const Origin& origin, bool from_text,
                 const std::map<KeyPath, Origin>* origins);
  void name(const KeyPath& path, const Origin& origin);
  void unknown(const KeyPath& path, const Origin& origin);

  std::map<KeyPath, Setting> values_;
  /// Where each table and key was written.
  std::map<KeyPath, Origin> tables_;
  /// Section and name: what exists.
  std::set<std::pair<std::string, std::string>> names_;
  std::vector<Problem> problems_;
};

/// One value read by its row. Errors: kInvalidArgument with the rule and the value.
Result<json::Value> read_value(const KeyRow& row, const json::Value& given, const std::string& base,
                               bool from_text);
/// A value as one would write it; secrets as "(secret)".
std::string show_value(const KeyRow& row, const json::Value& value);

}  // namespace gaur::app
