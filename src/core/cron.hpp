#pragma once
// Cron patterns as the peers' library reads them (cron-parser 4.9): 5 or 6 fields, seconds first, `L` (last
// day, last weekday of the month), `#` (n-th weekday), names of months and weekdays, @daily and its kin.
//
// Where a zone's clock jumps forward a time that does not exist runs an hour later; where it goes back a time
// that comes twice runs the first time only; a pattern of all 24 hours follows the elapsed hours instead.
// The zone tables are those of the operating system, read at first use. Thread-safety: values; pure
// functions.
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur {

class Cron {
 public:
  /// Errors: kInvalidArgument, naming the field and the rule.
  static Result<Cron> parse(std::string_view pattern);

  /// The first time strictly after `after` (whole seconds), or nothing within the next 12 years.
  /// `zone`: an IANA name ("Europe/Athens"); "" is this machine's own zone. Errors: kInvalidArgument (no such
  /// zone).
  Result<std::optional<Time>> next(Time after, std::string_view zone) const;

 private:
  struct Day {  // of a month
    unsigned month = 1, number = 1, weekday = 0, length = 31;
  };
  bool matches(const Day& day) const;
  std::optional<std::int64_t> in_hour(std::int64_t offset, std::int64_t local_hour, std::int64_t after) const;

  std::bitset<60> seconds_{}, minutes_{};
  std::bitset<24> hours_{};
  std::bitset<32> days_{};     // 1 to 31
  std::bitset<13> months_{};   // 1 to 12
  std::bitset<7> weekdays_{};  // 0: Sunday
  std::bitset<7> last_weekdays_{};
  unsigned nth_weekday_ = 0;  // 0: any
  bool last_day_ = false;     // `L` among the days
  bool any_weekday_ = false;  // the field does not restrict
};

}  // namespace gaur
