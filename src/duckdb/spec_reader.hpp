#pragma once
// Reads members of a JSON object one by one and collects what is wrong, each with its path; what was not
// asked for is unknown. Thread-safety: confined.
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
  /// Each leaves `value` as it is when the member is missing, and adds a problem when it is of another type.
  void text(std::string_view key, std::string& value);
  void boolean(std::string_view key, bool& value);
  void size(std::string_view key, std::size_t& value, std::size_t most);
  void texts(std::string_view key, std::vector<std::string>& values);
  /// The index of the member's text in `words`, or `otherwise`.
  std::size_t word(std::string_view key, const std::vector<std::string_view>& words, std::size_t otherwise);
  const json::Object* object(std::string_view key);
  /// Call last: members that nobody asked for are problems, with the known ones named.
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
