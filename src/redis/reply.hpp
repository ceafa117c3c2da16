#pragma once
// A reply of Redis, RESP2 or RESP3, as one value. Thread-safety: values.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gaur::redis {

/// RESP3's maps are arrays of key, value, key, value ...; its sets are arrays; big numbers and verbatim
/// strings are strings (without the `txt:`).
/// What READONLY means, and what to do.
inline constexpr std::string_view kReplicaAdvice = "this server is a replica; use the address of its master";

struct Reply {
  struct Nil {
    bool operator==(const Nil&) const = default;
  };
  /// "-WRONGTYPE Operation ...": a value, because one reply of a pipeline may be an error.
  struct Failure {
    std::string text;
    bool operator==(const Failure&) const = default;
    /// "WRONGTYPE": the first word.
    std::string_view code() const { return std::string_view(text).substr(0, text.find(' ')); }
  };
  using Array = std::vector<Reply>;

  std::variant<Nil, std::string, std::int64_t, double, bool, Array, Failure> value{};

  bool is_nil() const { return std::holds_alternative<Nil>(value); }
  const std::string* text() const { return std::get_if<std::string>(&value); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const Failure* failure() const { return std::get_if<Failure>(&value); }
  bool operator==(const Reply&) const = default;
};

}  // namespace gaur::redis
