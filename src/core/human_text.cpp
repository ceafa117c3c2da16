#include "core/human_text.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gaur {

namespace {
/// At most one decimal; no trailing zero.
std::string short_number(double value) {
  return fmt::format("{:g}", std::round(value * 10) / 10);
}
}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value >= 1e12) return fmt::format("{:.1f} TB", value / 1e12);
  if (value >= 1e9) return fmt::format("{:.1f} GB", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.0f} MB", value / 1e6);
  if (value >= 1e3) return fmt::format("{:.0f} kB", value / 1e3);
  return fmt::format("{} B", bytes);
}

std::string human_cores(double cores) {
  const double rounded = std::round(cores * 100) / 100;
  return fmt::format("{:g} {}", rounded, rounded == 1 ? "core" : "cores");
}

std::string human_resources(const Resources& resources) {
  return fmt::format("{} and {}", human_cores(resources.cores), human_bytes(resources.memory_bytes));
}

std::string human_duration(Duration duration) {
  const auto ms = static_cast<double>(duration.count());
  if (ms < 1000) return fmt::format("{} ms", duration.count());
  if (ms < 120'000) return short_number(ms / 1000) + " s";
  if (ms < 7'200'000) return short_number(ms / 60'000) + " min";
  return short_number(ms / 3'600'000) + " h";
}

}  // namespace gaur
