#include "duckdb/value_text.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "duckdb/calendar.hpp"

namespace gaur::duckdb {
namespace {

constexpr Int128 kSecond = 1'000'000;
constexpr Int128 kDay = 86'400 * kSecond;

enum class Part { kMonths, kDays, kMicros };
struct Unit {
  std::string_view name;
  Part part;
  Int128 size;
};

// ISO 8601: those before the T, then those after it, each in this order.
constexpr std::array kDateUnits{Unit{"Y", Part::kMonths, 12}, Unit{"M", Part::kMonths, 1},
                                Unit{"W", Part::kDays, 7}, Unit{"D", Part::kDays, 1}};
constexpr std::array kTimeUnits{Unit{"H", Part::kMicros, 3600 * kSecond},
                                Unit{"M", Part::kMicros, 60 * kSecond}, Unit{"S", Part::kMicros, kSecond}};
constexpr std::array kWords{Unit{"year", Part::kMonths, 12},
                            Unit{"month", Part::kMonths, 1},
                            Unit{"week", Part::kDays, 7},
                            Unit{"day", Part::kDays, 1},
                            Unit{"hour", Part::kMicros, 3600 * kSecond},
                            Unit{"minute", Part::kMicros, 60 * kSecond},
                            Unit{"second", Part::kMicros, kSecond},
                            Unit{"millisecond", Part::kMicros, 1000},
                            Unit{"microsecond", Part::kMicros, 1}};

/// Takes digits with a sign and a point from the front of `text`.
std::string_view eat_number(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("+-.0123456789"), text.size());
  const auto number = text.substr(0, end);
  text.remove_prefix(end);
  return number;
}

class IntervalSum {
 public:
  /// Returns false if `number` is invalid or out of range for this unit.
  bool add(std::string_view number, const Unit& unit, bool negative) {
    if (number.starts_with('+')) number.remove_prefix(1);
    const auto read = read_decimal(number);
    const bool seconds = unit.part == Part::kMicros && unit.size == kSecond;
    if (!read) return false;
    const auto magnitude = scaled_magnitude(*read, seconds ? 6 : 0);
    constexpr UInt128 kMost = std::numeric_limits<std::int64_t>::max();
    if (!magnitude || *magnitude > kMost) return false;
    const Int128 amount = static_cast<Int128>(*magnitude) * (seconds ? 1 : unit.size);
    parts_[static_cast<std::size_t>(unit.part)] += negative != read->negative ? -amount : amount;
    any_ = true;
    return true;
  }
  void add_micros(std::int64_t micros) {
    parts_[static_cast<std::size_t>(Part::kMicros)] += micros;
    any_ = true;
  }
  std::optional<Interval> value() const {
    const auto within = [](Int128 value, auto like) {
      using T = decltype(like);
      return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
    };
    if (!any_ || !within(parts_[0], std::int32_t{}) || !within(parts_[1], std::int32_t{}) ||
        !within(parts_[2], std::int64_t{}))
      return std::nullopt;
    return Interval{static_cast<std::int32_t>(parts_[0]), static_cast<std::int32_t>(parts_[1]),
                    static_cast<std::int64_t>(parts_[2])};
  }

 private:
  std::array<Int128, 3> parts_{};
  bool any_ = false;
};

/// Units in their order, each at most once, up to the T or the end.
template <std::size_t N>
bool eat_units(std::string_view& text, const std::array<Unit, N>& units, bool negative, IntervalSum& sum) {
  auto from = units.begin();
  while (!text.empty() && !text.starts_with('T')) {
    const auto number = eat_number(text);
    const auto unit =
        std::find_if(from, units.end(), [&](const Unit& each) { return text.starts_with(each.name); });
    if (unit == units.end() || !sum.add(number, *unit, negative)) return false;
    text.remove_prefix(1);
    from = unit + 1;
  }
  return true;
}

std::optional<Interval> read_iso_interval(std::string_view text, bool negative) {
  IntervalSum sum;
  if (!eat_units(text, kDateUnits, negative, sum)) return std::nullopt;
  if (!text.empty()) {
    text.remove_prefix(1);
    if (text.empty() || !eat_units(text, kTimeUnits, negative, sum) || !text.empty()) return std::nullopt;
  }
  return sum.value();
}

std::string_view next_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

Int128 Interval::comparable() const {
  return (Int128{months} * 30 + days) * kDay + micros;
}

std::optional<Interval> read_interval(std::string_view text) {
  const bool negative = text.starts_with("-P");
  if (negative || text.starts_with('P')) return read_iso_interval(text.substr(negative ? 2 : 1), negative);
  IntervalSum sum;
  while (!text.empty()) {
    const auto number = next_word(text);
    if (const auto colon = number.find(':'); colon != std::string_view::npos) {  // the time of day comes last
      const bool minus = number.starts_with('-');
      const auto micros = read_time(number.substr(minus ? 1 : 0));
      if (!micros || !text.empty()) return std::nullopt;
      sum.add_micros(minus ? -*micros : *micros);
      break;
    }
    auto word = next_word(text);
    if (word.ends_with('s')) word.remove_suffix(1);
    const auto* unit =
        std::find_if(kWords.begin(), kWords.end(), [&](const Unit& each) { return each.name == word; });
    if (unit == kWords.end() || !sum.add(number, *unit, false)) return std::nullopt;
  }
  return sum.value();
}

std::optional<std::string> read_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  const std::size_t digits = text.size() - padding;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = base64_digit(text[i]);
    if (digit < 0) return std::nullopt;
    group = (group << 6U) | static_cast<std::uint32_t>(digit);
    if (i % 4 == 0) continue;
    const std::size_t left = 6 - i % 4 * 2;  // bits that belong to the next byte
    bytes += static_cast<char>((group >> left) & 0xFFU);
    const bool last = i + 1 == digits;
    if (last && (group & ((1U << left) - 1U)) != 0) return std::nullopt;  // unused bits must be 0
  }
  return bytes;
}

std::optional<UInt128> read_uuid(std::string_view text) {
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  UInt128 value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = hex_digit(text[i]);
    if (digit < 0) return std::nullopt;
    value = (value << 4U) | static_cast<UInt128>(digit);
  }
  return value;
}

}  // namespace gaur::duckdb
