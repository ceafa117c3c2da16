// Parses times in the formats of databases, JavaScript and DuckDB.
#include <charconv>
#include <chrono>

#include "app/shadow/compare.hpp"

namespace gaur::app {
namespace {

/// Reads the parts from left to right; `good` is false after an error.
struct Reader {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count) {
    int value = 0;
    const std::string_view part = rest.substr(0, count);
    const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
    good = good && part.size() == count && read.ec == std::errc() && read.ptr == part.data() + count &&
           part[0] != '-';
    rest.remove_prefix(std::min(count, rest.size()));
    return good ? value : 0;
  }
  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  void need(char c) { good = good && take(c); }

  /// ".123456": milliseconds, truncated.
  int fraction() {
    int value = 0;
    int scale = 100;
    bool any = false;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
      value += (rest.front() - '0') * scale;
      scale /= 10;
      any = true;
      rest.remove_prefix(1);
    }
    good = good && any;
    return value;
  }
  /// "Z", "+09:00", "+0900", "+09" or nothing: minutes east of UTC.
  int zone() {
    if (rest.empty() || take('Z')) return 0;
    const bool west = take('-');
    if (!west) need('+');
    const int hours = digits(2);
    take(':');
    const int minutes = rest.empty() ? 0 : digits(2);
    return (west ? -1 : 1) * (hours * 60 + minutes);
  }
};

}  // namespace

std::optional<std::int64_t> read_time(std::string_view text) {
  Reader reader{text};
  const int year = reader.digits(4);
  reader.need('-');
  const int month = reader.digits(2);
  reader.need('-');
  const int day = reader.digits(2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!reader.good || !date.ok()) return std::nullopt;
  std::int64_t ms = std::chrono::sys_days(date).time_since_epoch().count() * 86'400'000LL;
  if (reader.rest.empty()) return ms;
  if (!reader.take('T') && !reader.take(' ')) return std::nullopt;
  const int hour = reader.digits(2);
  reader.need(':');
  const int minute = reader.digits(2);
  const int second = reader.take(':') ? reader.digits(2) : 0;
  const int fraction = reader.take('.') ? reader.fraction() : 0;
  const int east = reader.zone();
  if (!reader.good || !reader.rest.empty() || hour > 24 || minute > 59 || second > 60) return std::nullopt;
  ms += ((hour * 60LL + minute - east) * 60 + second) * 1000 + fraction;
  return ms;
}

}  // namespace gaur::app
