#pragma once
// Names of a user's own as parts of other texts: URLs, lanes, file names. Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

namespace gaur {

/// `text` with %XX for every byte but A-Z a-z 0-9 - . _ ~ and those of `kept`. "." and ".." are encoded as
/// well: as part of a path they would mean a folder.
std::string percent_encode(std::string_view text, std::string_view kept = "");

/// FNV-1a, 64 bits: the same over builds and machines, which std::hash does not promise.
std::uint64_t stable_hash(std::string_view text);

/// `text` itself up to `longest` bytes, else its begin and a hash of all of it, `longest` bytes together.
std::string shortened_name(std::string_view text, std::size_t longest);

}  // namespace gaur
