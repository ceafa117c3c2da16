#pragma once
// Compares two JSON results and classifies each difference: a different order of rows, time zone or rounding
// may not matter to the clients that read the result. Thread-safety: pure functions.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace gaur::app {

enum class DifferenceKind : std::uint8_t {
  /// The same elements of a list in another order.
  kOrder,
  /// Times that differ by a multiple of 15 min, at most 14 h, or dates that differ by a day.
  kTimeZone,
  /// The same instant in another format.
  kTimeFormat,
  /// Numbers with a relative difference below 1e-9.
  kFloat,
  /// "1" and 1, "true" and true, 1795350977642 and its text as a time.
  kType,
  /// Null on one side, no such member on the other.
  kNullMissing,
  /// A member is missing.
  kMissingKey,
  /// A member is new.
  kNewKey,
  /// A list has more or fewer elements.
  kLength,
  /// Another JSON structure, such as a list instead of an object.
  kShape,
  /// Any other difference.
  kValue,
};
/// "order", "time-zone", "time-format", "float", "type", "null", "missing-key", "new-key", "length", "shape",
/// "value": the values of `--allow`.
std::string_view to_string(DifferenceKind kind);
std::optional<DifferenceKind> parse_difference(std::string_view text);

struct Difference {
  DifferenceKind kind = DifferenceKind::kValue;
  /// "rows[3].day"; "" is the result itself.
  std::string path;
  /// JSON text, truncated to 120 bytes; "": no value.
  std::string expected, actual;
  /// "shifted by +9 h", or "".
  std::string note;
  bool operator==(const Difference&) const = default;
};

struct Comparison {
  /// The first `CompareOptions::show` differences of each kind.
  std::vector<Difference> shown;
  /// All differences.
  std::map<DifferenceKind, std::uint64_t> count;
  bool equal() const { return count.empty(); }
  /// Whether all differences are of allowed kinds.
  bool acceptable(const std::set<DifferenceKind>& allowed) const;
};

struct CompareOptions {
  /// Relative; smaller differences are kFloat.
  double tolerance = 1e-9;
  /// Number of differences to keep of each kind.
  std::size_t show = 3;
};

/// Ignores the order of an object's members.
Comparison compare_json(const json::Value& expected, const json::Value& actual,
                        const CompareOptions& options = {});

/// Milliseconds since 1970 of "2026-01-01", "2026-01-01 09:00:00.123", "2026-01-01T00:00:00Z",
/// "2026-01-01T09:00:00+09:00"; without a zone: UTC. std::nullopt for other text.
std::optional<std::int64_t> read_time(std::string_view text);

}  // namespace gaur::app
