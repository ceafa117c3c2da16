#include "base/number_rule.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace gaur {

std::string whole_number_rule(std::uint64_t least, std::uint64_t most, std::string_view was) {
  return fmt::format("a whole number from {} to {} is expected, was {}", least, most, utf8_prefix(was, 80));
}

}  // namespace gaur
