#pragma once
// The failure of a run whose result exceeds the limit; it names the largest member.
#include <string_view>

#include "gaur/job.hpp"

namespace gaur {

/// Code `too_large`: size, limit and, of an object, its largest member. `result`: JSON text.
Failure result_too_large(std::string_view result, std::size_t limit);

}  // namespace gaur
