#include <cmath>

#include "core/semantics.hpp"

namespace gaur {

Duration backoff_delay(const Backoff& backoff, std::uint32_t attempts_made, const Semantics& semantics,
                       Random& random) {
  const double base = static_cast<double>(backoff.delay.count());
  const double attempts = static_cast<double>(attempts_made == 0 ? 1 : attempts_made);
  double wait = base;
  if (backoff.kind == Backoff::Kind::kExponential) {
    wait = semantics.exponential_base_exponent == 0 ? std::round(std::exp2(attempts - 1) * base)
                                                    : (std::exp2(attempts) - 1) * base;
  }
  if (backoff.jitter > 0)
    wait = std::floor(wait * (1 - backoff.jitter) + random.unit() * wait * backoff.jitter);
  constexpr double kLongest = 10.0 * 365 * 24 * 3600 * 1000;
  if (!(wait > 0)) return Duration{0};
  return Duration{static_cast<std::int64_t>(std::min(wait, kLongest))};
}

}  // namespace gaur
