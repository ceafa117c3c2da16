#include "base/number_rule.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/utf8.hpp"

namespace gaur {

std::optional<std::uint64_t> whole_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number, base);
  return problem == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::string whole_number_rule(std::uint64_t least, std::uint64_t most, std::string_view was) {
  return fmt::format("a whole number from {} to {} is expected, was {}", least, most, utf8_prefix(was, 80));
}

}  // namespace gaur
