#include "app/config/units.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cmath>
#include <optional>

#include "base/decimal_text.hpp"
#include "base/scan.hpp"

namespace gaur::app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kSizeUnits{Unit{"B", 1},
                                Unit{"kB", 1000},
                                Unit{"MB", 1000'000},
                                Unit{"GB", 1000'000'000},
                                Unit{"TB", 1000'000'000'000},
                                Unit{"KiB", 1ULL << 10},
                                Unit{"MiB", 1ULL << 20},
                                Unit{"GiB", 1ULL << 30},
                                Unit{"TiB", 1ULL << 40}};
constexpr double kLargestBytes = 1e18;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
         });
}

bool is_number_char(char c) {
  return is_digit(c) || c == '.';
}
bool is_space(char c) {
  return c == ' ';
}

std::optional<double> decimal(std::string_view digits) {
  const std::size_t dot = digits.find('.');
  const auto before = scan_digits(digits.substr(0, dot));
  if (!before) return std::nullopt;
  if (dot == std::string_view::npos) return static_cast<double>(*before);
  const std::string_view rest = digits.substr(dot + 1);
  const auto after = scan_digits(rest);
  if (!after) return std::nullopt;
  return static_cast<double>(*before) +
         static_cast<double>(*after) / std::pow(10.0, static_cast<double>(rest.size()));
}

Error bad_size(std::string_view text) {
  return {
      Errc::kInvalidArgument,
      fmt::format("\"{}\" is not a size; use a number and a unit, such as \"512MB\", \"2GB\" or \"1.5GiB\"",
                  text)};
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = decimal(take_while(rest, is_number_char));
  take_while(rest, is_space);
  if (!number) return bad_size(text);
  if (rest.empty()) rest = "B";
  for (const Unit& unit : kSizeUnits) {
    if (!same_ignoring_case(unit.name, rest)) continue;
    const double bytes = *number * static_cast<double>(unit.factor);
    if (bytes > kLargestBytes) return Error{Errc::kInvalidArgument, fmt::format("\"{}\" is over 1 EB", text)};
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  return bad_size(text);
}

std::string format_size(std::uint64_t bytes) {
  const Unit* best = &kSizeUnits.front();
  for (const Unit& unit : kSizeUnits) {
    if (bytes != 0 && bytes % unit.factor == 0 && unit.factor > best->factor) best = &unit;
  }
  return fmt::format("{}{}", bytes / best->factor, best->name);
}

}  // namespace gaur::app
