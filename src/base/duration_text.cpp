#include "base/duration_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/decimal_text.hpp"
#include "base/json.hpp"
#include "base/scan.hpp"
#include "base/utf8.hpp"

namespace gaur {
namespace {

struct DurationUnit {
  std::string_view name;
  std::uint64_t milliseconds;
};

constexpr std::array kUnits{DurationUnit{"d", 86'400'000}, DurationUnit{"h", 3'600'000},
                            DurationUnit{"m", 60'000}, DurationUnit{"s", 1'000}, DurationUnit{"ms", 1}};
constexpr auto kLongestMs = static_cast<std::uint64_t>(kLongestDuration.count());

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string shown(std::string_view text) {
  return json::quote(utf8_prefix(text, 40));
}
Error not_a_duration(std::string_view text, BareNumber bare) {
  constexpr std::string_view kRule =
      "a number with ms, s, m, h or d, such as \"250ms\", \"30s\" or \"1h30m\"";
  return {Errc::kInvalidArgument,
          fmt::format("{} is not a duration; use {}{}", shown(text),
                      bare == BareNumber::kMilliseconds ? "milliseconds or " : "", kRule)};
}
Error too_long(std::string_view text) {
  return {Errc::kInvalidArgument, fmt::format("{} is over 10 years ({} ms)", shown(text), kLongestMs)};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text, BareNumber bare) {
  std::string_view rest = text;
  std::uint64_t total = 0;
  std::size_t next_unit = 0;  // units must decrease: "30m1h" is probably a mistake
  do {
    const auto number = scan_digits(take_while(rest, is_digit));
    std::string_view name = take_while(rest, is_letter);
    const bool alone = name.empty() && rest.empty() && next_unit == 0;
    if (alone && number && (*number == 0 || bare == BareNumber::kMilliseconds)) name = "ms";
    std::size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (!number || unit == kUnits.size()) return not_a_duration(text, bare);
    if (*number > kLongestMs / kUnits[unit].milliseconds) return too_long(text);
    total += *number * kUnits[unit].milliseconds;
    next_unit = unit + 1;
  } while (!rest.empty());
  if (total > kLongestMs) return too_long(text);
  return Duration(static_cast<std::int64_t>(total));
}

std::string format_duration(Duration duration) {
  auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  if (left == 0) return "0s";
  std::string text;
  for (const DurationUnit& unit : kUnits) {
    if (left < unit.milliseconds) continue;
    text += fmt::format("{}{}", left / unit.milliseconds, unit.name);
    left %= unit.milliseconds;
  }
  return text;
}

}  // namespace gaur
