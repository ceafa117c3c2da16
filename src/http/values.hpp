#pragma once
// Texts of URLs and headers: targets, queries, byte ranges. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::http {

struct Target {
  /// Decoded after splitting: "%2F" does not separate.
  std::vector<std::string> segments;
  /// Decoded, in order.
  std::vector<std::pair<std::string, std::string>> query;
};
/// The parts of an origin-form target ("/v1/queues?limit=1"). Errors: kInvalidArgument.
Result<Target> parse_target(std::string_view target);

/// Decimal digits only, no sign, no overflow.
std::optional<std::uint64_t> parse_number(std::string_view text);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
enum class RangeVerdict : std::uint8_t { kWhole, kPart, kUnsatisfiable };
/// The range that a Range header requests of `size` bytes. Several ranges, other units and malformed headers:
/// the whole, as RFC 9110 allows.
std::pair<RangeVerdict, ByteRange> parse_range(std::string_view header, std::uint64_t size);

std::string lower(std::string_view text);
/// Without blanks and tabs at both ends.
std::string_view trim(std::string_view text);

}  // namespace gaur::http
