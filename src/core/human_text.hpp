#pragma once
// Sizes, cores and durations with units, for messages. Thread-safety: pure functions.
#include <cstdint>
#include <string>

#include "core/needs.hpp"

namespace gaur {

/// "6.0 GB", "512 MB", "0 B": decimal units, like DuckDB.
std::string human_bytes(std::uint64_t bytes);
/// "1 core", "2.5 cores".
std::string human_cores(double cores);
/// "6 cores and 6.0 GB".
std::string human_resources(const Resources& resources);
/// "250 ms", "2.5 s", "60 s", "10 min", "2.5 h".
std::string human_duration(Duration duration);

}  // namespace gaur
