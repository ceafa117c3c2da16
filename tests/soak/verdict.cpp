#include "soak/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gaur::test {

namespace {

constexpr double kMegabyte = 1e6;

std::vector<Sample> after_warm_up(const std::vector<Sample>& samples) {
  std::vector<Sample> kept;
  for (const Sample& each : samples) {
    if (each.jobs * 5 >= samples.back().jobs) kept.push_back(each);
  }
  return kept;
}

std::uint64_t memory(const Sample& sample) {
  return sample.process.anonymous_kib << 10U;
}
std::uint64_t store(const Sample& sample) {
  return sample.store_bytes;
}
std::uint64_t descriptors(const Sample& sample) {
  return sample.process.descriptors;
}
std::uint64_t processes(const Sample& sample) {
  return sample.process.processes + sample.process.zombies;
}

std::uint64_t most(const std::vector<Sample>& samples, std::size_t first, std::size_t last,
                   std::uint64_t (*value)(const Sample&)) {
  std::uint64_t found = 0;
  for (std::size_t i = first; i < last; ++i) found = std::max(found, value(samples[i]));
  return found;
}

}  // namespace

std::string to_json(const Sample& sample) {
  const ProcessFigures& process = sample.process;
  return fmt::format(
      R"({{"seconds":{:.1f},"jobs":{},"rss_kib":{},"anonymous_kib":{},"store_bytes":{},"keys":{},"descriptors":{},"threads":{},"processes":{},"zombies":{}}})",
      sample.seconds, sample.jobs, process.rss_kib, process.anonymous_kib, sample.store_bytes, sample.keys,
      process.descriptors, process.threads, process.processes, process.zombies);
}

double growth_per_million(const std::vector<Sample>& samples, std::uint64_t (*value)(const Sample&)) {
  const std::vector<Sample> kept = after_warm_up(samples);
  double jobs = 0, bytes = 0;
  for (const Sample& each : kept) {
    jobs += static_cast<double>(each.jobs) / static_cast<double>(kept.size());
    bytes += static_cast<double>(value(each)) / static_cast<double>(kept.size());
  }
  double together = 0, squares = 0;
  for (const Sample& each : kept) {
    const double away = static_cast<double>(each.jobs) - jobs;
    together += away * (static_cast<double>(value(each)) - bytes);
    squares += away * away;
  }
  return squares > 0 ? together / squares * 1e6 : 0;
}

std::vector<std::string> problems_of(const std::vector<Sample>& samples) {
  const std::vector<Sample> kept = after_warm_up(samples);
  if (kept.size() < 4) return {"too few samples"};
  std::vector<std::string> problems;
  const auto millions = static_cast<double>(kept.back().jobs - kept.front().jobs) / 1e6;
  const auto check = [&](const char* what, std::uint64_t (*value)(const Sample&)) {
    const double slope = growth_per_million(samples, value);
    if (millions < 1 ? slope * millions > 4 * kMegabyte : slope > kMegabyte)
      problems.push_back(fmt::format("{} grows by {:.2f} MB a million jobs", what, slope / kMegabyte));
  };
  check("memory", memory);
  check("the store", store);
  const std::size_t middle = kept.size() / 2;
  const auto count = [&](const char* what, std::uint64_t (*value)(const Sample&), std::uint64_t slack) {
    const std::uint64_t first = most(kept, 0, middle, value), second = most(kept, middle, kept.size(), value);
    if (second > first + slack)
      problems.push_back(fmt::format("{}: at most {}, then {}", what, first, second));
  };
  // A runner that is being replaced, and its successor, exist at the same time.
  count("open descriptors", descriptors, 32);
  count("child processes", processes, 8);
  return problems;
}

}  // namespace gaur::test
