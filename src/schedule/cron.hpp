#pragma once
// Cron patterns exactly as the peers' library (cron-parser 4.9) reads and searches them: 5 or 6 fields,
// seconds first, `L` (last day, last weekday of the month), `#` (n-th weekday), names of months and weekdays,
// @daily and its kin. tests/interop/cron.test.mjs compares the instants with that library, quirks included:
// days and weekdays that are both restricted are alternatives; a list that holds one value twice counts it
// twice where "all values" is decided. Thread-safety: values; pure functions.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/names.hpp"
#include "gaur/result.hpp"
#include "schedule/zone.hpp"

namespace gaur::schedule {

class Cron {
 public:
  /// Errors: kInvalidArgument, naming the field and the rule.
  static Result<Cron> parse(std::string_view pattern);

  /// The first time strictly after `after`, on a whole second and not after `end`; nothing if the library
  /// finds none in its 10 000 steps.
  std::optional<Time> next(Time after, const Zone& zone, std::optional<Time> end = {}) const;

  /// As `#n` in the pattern does, which goes before.
  void set_nth_weekday(double nth) {
    if (nth_weekday_ == 0) nth_weekday_ = nth;
  }

 private:
  enum Field : std::size_t { kSecond, kMinute, kHour, kDay, kMonth, kWeekday, kFields };
  /// The values of a field, ascending and as often as they were given, and its words that hold an `L`.
  struct Values {
    std::vector<unsigned> numbers;
    std::vector<std::string> lasts;
    std::size_t size() const { return numbers.size() + lasts.size(); }
    bool has(unsigned value) const;
  };
  class FieldReader;
  class Search;

  std::array<Values, kFields> fields_;
  double nth_weekday_ = 0;  // 0: any
};

}  // namespace gaur::schedule
