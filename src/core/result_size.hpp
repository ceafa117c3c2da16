#pragma once
// The failure of a run whose result is larger than may be kept: it names what takes the room.
#include <string_view>

#include "gaur/job.hpp"

namespace gaur {

/// Code `too_large`: size, limit and, of an object, its largest member. `result`: JSON text.
Failure result_too_large(std::string_view result, std::size_t limit);

}  // namespace gaur
