#pragma once
// User-supplied names as parts of URLs, session names and file names. Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur {

/// Percent-encodes every byte but A-Z a-z 0-9 - . _ ~ and those of `kept`. "." and ".." are encoded as well,
/// since they have a meaning in paths.
std::string percent_encode(std::string_view text, std::string_view kept = "");

/// "%EA%B0%80" -> "가". Errors: kInvalidArgument if a % is not followed by two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text);

/// FNV-1a, 64 bits: equal in all builds and on all machines, unlike std::hash.
std::uint64_t stable_hash(std::string_view text);

/// `text` if it has at most `longest` bytes, else its beginning and a hash of the whole, `longest` bytes in
/// total.
std::string shortened_name(std::string_view text, std::size_t longest);

}  // namespace gaur
