#pragma once
// Two JSON results held against each other, each difference named by its kind: what is the same rows in
// another order, the same instant in another time zone, the same number rounded elsewhere, is no wrong answer
// but may still be one for whoever reads it. Thread-safety: pure functions.
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
  kOrder,        ///< the same elements of a list in another order
  kTimeZone,     ///< times that lie a time zone apart (a multiple of 15 min, at most 14 h), or days one apart
  kTimeFormat,   ///< the same instant, otherwise written
  kFloat,        ///< numbers apart by less than a billionth
  kType,         ///< "1" and 1, "true" and true, 1795350977642 and its text as a time
  kNullMissing,  ///< null here, no such member there
  kMissingKey,   ///< a member is gone
  kNewKey,       ///< a member is new
  kLength,       ///< a list has more or fewer elements
  kShape,        ///< a list in place of an object, and the like
  kValue,        ///< anything else: another answer
};
/// "order", "time-zone", "time-format", "float", "type", "null", "missing-key", "new-key", "length", "shape",
/// "value": as `--allow` takes them.
std::string_view to_string(DifferenceKind kind);
std::optional<DifferenceKind> parse_difference(std::string_view text);

struct Difference {
  DifferenceKind kind = DifferenceKind::kValue;
  std::string path;              ///< "rows[3].day"; "" is the result itself
  std::string expected, actual;  ///< JSON text, cut to 120 bytes; "" where there is none
  std::string note;              ///< "shifted by +9 h", or ""
  bool operator==(const Difference&) const = default;
};

struct Comparison {
  std::vector<Difference> shown;  ///< the first of each kind, at most `CompareOptions::show` of it
  std::map<DifferenceKind, std::uint64_t> count;  ///< all of them
  bool equal() const { return count.empty(); }
  /// Only kinds that are allowed.
  bool acceptable(const std::set<DifferenceKind>& allowed) const;
};

struct CompareOptions {
  double tolerance = 1e-9;  ///< relative; numbers apart by less are kFloat
  std::size_t show = 3;     ///< differences of each kind that are kept
};

/// The order of an object's members means nothing.
Comparison compare_json(const json::Value& expected, const json::Value& actual,
                        const CompareOptions& options = {});

/// Milliseconds since 1970 of "2026-01-01", "2026-01-01 09:00:00.123", "2026-01-01T00:00:00Z",
/// "2026-01-01T09:00:00+09:00"; without a zone: UTC. Nothing for other text.
std::optional<std::int64_t> read_time(std::string_view text);

}  // namespace gaur::app
