#pragma once
// Figures as people read them, the same in every message. Thread-safety: pure functions.
#include <cstdint>
#include <string>

#include "core/needs.hpp"

namespace gaur {

/// "6.0 GB", "512 MB", "0 B": decimal units, as DuckDB reads and writes them.
std::string bytes_in_words(std::uint64_t bytes);
/// "1 core", "2.5 cores".
std::string cores_in_words(double cores);
/// "6 cores and 6.0 GB".
std::string room_in_words(const Room& room);
/// "250 ms", "2.5 s", "60 s", "10 min", "2.5 h".
std::string duration_in_words(Duration duration);

}  // namespace gaur
