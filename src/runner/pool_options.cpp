#include "runner/pool_options.hpp"

#include <fmt/format.h>

namespace gaur {

std::vector<std::string> problems_of(const PoolOptions& options) {
  std::vector<std::string> problems;
  const auto check = [&](bool fine, std::string problem) {
    if (!fine) problems.push_back(std::move(problem));
  };
  check(!options.command.empty() && !options.command.front().empty(),
        "command: must name a program, was empty");
  check(options.threads >= 1, "threads: at least 1, was 0");
  check(options.open_files >= 16, fmt::format("open_files: at least 16, was {}", options.open_files));
  check(
      options.max_runners == 0 || options.min_runners <= options.max_runners,
      fmt::format("min_runners: at most max_runners ({}), was {}", options.max_runners, options.min_runners));
  check(options.breaker_after >= 1, "breaker_after: at least 1, was 0");
  check(options.restart_min.count() > 0 && options.restart_min <= options.restart_max,
        fmt::format("restart_min: above 0 and at most restart_max ({} ms), was {} ms",
                    options.restart_max.count(), options.restart_min.count()));
  for (const auto& [field, value] :
       {std::pair{"start_timeout", options.start_timeout}, std::pair{"stop_grace", options.stop_grace},
        std::pair{"cancel_grace", options.cancel_grace}, std::pair{"timeout_grace", options.timeout_grace},
        std::pair{"kill_delay", options.kill_delay}}) {
    check(value.count() > 0, fmt::format("{}: above 0, was {} ms", field, value.count()));
  }
  for (const auto& [name, value] : options.env) {
    const bool fine = !name.empty() && name.find('=') == std::string::npos &&
                      (name + value).find('\0') == std::string::npos;
    check(fine, fmt::format("env: a name without '=' and a value without NUL, was '{}'", name));
  }
  return problems;
}

}  // namespace gaur
