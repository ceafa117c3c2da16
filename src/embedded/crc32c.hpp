#pragma once
// CRC32C (Castagnoli), as every record carries it. Uses the processor's instruction where there is one.
#include <cstdint>
#include <string_view>

namespace gaur::embedded {

/// Thread-safety: pure. crc32c("123456789") == 0xE3069283. Chain with `seed` = the crc of what came before.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
/// The same, never with the instruction: so that a test can compare the two.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace gaur::embedded
