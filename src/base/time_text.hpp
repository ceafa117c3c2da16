#pragma once
// Times as ISO 8601 text, in UTC. Thread-safety: pure functions.
#include <string>

#include "gaur/names.hpp"

namespace gaur {

/// "2026-11-22T09:30:00.123Z".
std::string iso_time(Time time);
/// "2026-11-22T09:30:00Z", rounded down.
std::string iso_time_seconds(Time time);

}  // namespace gaur
