#include "base/time_text.hpp"

#include <fmt/format.h>

namespace gaur {

std::string iso_time(Time time) {
  const std::string seconds = iso_time_seconds(time);
  const Duration ms = time - std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{}.{:03}Z", std::string_view(seconds).substr(0, seconds.size() - 1), ms.count());
}

std::string iso_time_seconds(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace gaur
