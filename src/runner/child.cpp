#include "runner/child.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "base/process_info.hpp"
#include "base/utf8.hpp"

namespace gaur {

void OutputLines::feed(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    // One byte more than the limit marks a truncated line.
    buffer_.append(piece.substr(0, max_bytes_ + 1 - std::min(buffer_.size(), max_bytes_ + 1)));
    if (newline == std::string_view::npos) return;
    finish(line);
    bytes.remove_prefix(newline + 1);
  }
}

void OutputLines::finish(const std::function<void(std::string_view)>& line) {
  if (buffer_.size() > max_bytes_) {
    cut_utf8(buffer_, max_bytes_);
    buffer_ += " ... (cut)";
  }
  if (!buffer_.empty()) line(buffer_);
  buffer_.clear();
}

void Meter::attach(pid_t runner, pid_t keeper) {
  runner_ = runner;
  keeper_ = keeper;
}

std::uint64_t Meter::cpu_now() const {
  // The tree at the last sample. Processes that started and ended since are in their parent's total.
  std::uint64_t sum = cpu_us_of(runner_) + reaped_cpu_us_of(runner_);
  for (const pid_t pid : others_) sum += cpu_us_of(pid) + reaped_cpu_us_of(pid);
  return sum;
}

void Meter::begin() {
  peak_ = 0;
  reset_peak(runner_);
  cpu_at_begin_ = cpu_now();
}

void Meter::find_others() {
  others_ = descendants_of(keeper_);
  std::erase(others_, runner_);
}

bool Meter::has_others() const {
  return std::any_of(others_.begin(), others_.end(), [](pid_t pid) {
    const auto memory = memory_of(pid);
    return memory && memory->peak_bytes > 0;  // a zombie has none
  });
}

bool Meter::has_orphans() const {
  const std::vector<pid_t> children = children_of(keeper_);
  return std::any_of(children.begin(), children.end(), [&](pid_t pid) { return pid != runner_; });
}

std::uint64_t Meter::sample() {
  find_others();
  std::uint64_t sum = anonymous(runner_);
  for (const pid_t pid : others_) sum += anonymous(pid);
  peak_ = std::max(peak_, sum);
  return sum;
}

std::uint64_t Meter::anonymous(pid_t pid) const {
  // With several processes, pages shared after a fork must not count twice. A single process has the same
  // value in the cheaper statistic.
  if (!others_.empty()) return proportional_anonymous_bytes(pid);
  const auto memory = memory_of(pid);
  return memory ? memory->anonymous_bytes : 0;
}

RunFigures Meter::figures() {
  const std::uint64_t cpu = cpu_now();
  const auto memory = memory_of(runner_);
  RunFigures figures;
  figures.cpu_us = cpu > cpu_at_begin_ ? cpu - cpu_at_begin_ : 0;
  figures.peak_rss_bytes = std::max(peak_, memory ? memory->peak_bytes : 0);
  figures.kept_bytes = memory ? memory->anonymous_bytes : 0;
  return figures;
}

RunFigures Meter::final_figures(const keeper::Report& report) const {
  return {report.cpu_us > cpu_at_begin_ ? report.cpu_us - cpu_at_begin_ : 0,
          std::max(peak_, report.max_rss_bytes), 0};
}

bool limit_memory(pid_t pid, std::uint64_t bytes) {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_DATA, nullptr, &limit) != 0) return false;
  limit.rlim_cur = bytes == 0 ? limit.rlim_max : std::min<rlim_t>(bytes, limit.rlim_max);
  return ::prlimit(pid, RLIMIT_DATA, &limit, nullptr) == 0;
}

}  // namespace gaur
