#include "runner/output_budget.hpp"

#include <utility>

namespace gaur {

namespace {
constexpr Duration kSecond{1'000};
}  // namespace

bool OutputBudget::take(std::uint64_t bytes, Instant now) {
  const std::uint64_t cost = bytes + kLineOverhead;
  if (now - second_began_ >= kSecond) {
    second_began_ = now;
    of_second_ = 0;
  }
  const bool run_full = limits_.per_run > 0 && of_run_ + cost > limits_.per_run;
  const bool second_full = limits_.per_second > 0 && of_second_ + cost > limits_.per_second;
  if (!run_full && !second_full) {
    of_run_ += cost;
    of_second_ += cost;
    return true;
  }
  for_second_ = !run_full;
  ++dropped_.lines;
  dropped_.bytes += bytes;
  return false;
}

bool OutputBudget::second_ended(Instant now) const {
  return dropped_.lines > 0 && for_second_ && now - second_began_ >= kSecond;
}

OutputBudget::Dropped OutputBudget::report() {
  return std::exchange(dropped_, Dropped{});
}

}  // namespace gaur
