#pragma once
// Reads members of a JSON object one by one and collects problems, each with its path. Members that were not
// read are unknown. Thread-safety: confined.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

class MemberReader {
 public:
  MemberReader(const json::Object& object, std::string path, std::vector<Problem>& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {}

  const json::Value* find(std::string_view key);
  /// Does not change `value` if the member is missing. Adds a problem if it has another type.
  void text(std::string_view key, std::string& value);
  void boolean(std::string_view key, bool& value);
  void size(std::string_view key, std::size_t& value, std::size_t most);
  void texts(std::string_view key, std::vector<std::string>& values);
  /// The index of the member's text in `words`, or `default_value`.
  std::size_t word(std::string_view key, const std::vector<std::string_view>& words, std::size_t otherwise);
  const json::Object* object(std::string_view key);
  /// Call last: adds a problem for each member that was not read, and names the known ones.
  void finish();

  void problem(std::string_view key, std::string message);
  std::string path_of(std::string_view key) const;

 private:
  const json::Object& object_;
  std::string path_;
  std::vector<Problem>& problems_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace gaur::duckdb
