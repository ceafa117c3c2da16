#pragma once
// CRC32C (Castagnoli), the checksum of every record. Uses the SSE 4.2 instruction where the processor has it.
#include <cstdint>
#include <string_view>

namespace gaur::embedded {

/// crc32c("123456789") == 0xE3069283. `seed` is the checksum of the preceding bytes.
/// Thread-safety: pure function.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
/// The same value without the instruction. The tests compare both.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace gaur::embedded
