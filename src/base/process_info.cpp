#include "base/process_info.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace gaur {

namespace {

constexpr std::uintmax_t kMostProcBytes = 64 << 20;

/// "" if the process has ended.
std::string read_proc(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_all(file.get(), path, kMostProcBytes).value_or("") : "";
}

template <class Number>
Number leading_number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "Name:   123 kB" in bytes, or 0.
std::uint64_t kilobytes(std::string_view text, std::string_view name) {
  std::size_t at = text.starts_with(name) ? 0 : text.find(fmt::format("\n{}", name));
  if (at == std::string_view::npos) return 0;
  at = text.find(':', at);
  return leading_number<std::uint64_t>(text.substr(at + 1)) * 1024;
}

std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
  if (!dir) return names;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') names.emplace_back(entry->d_name);
  }
  return names;
}

/// Fields of /proc/PID/stat from the third on (the second may contain spaces and brackets).
std::string_view after_name(std::string_view stat) {
  const std::size_t bracket = stat.rfind(')');
  return bracket == std::string_view::npos ? std::string_view() : stat.substr(bracket + 1);
}

std::string_view field(std::string_view text, int index) {
  while (true) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    if (index-- == 0) return text;
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return {};
    text.remove_prefix(space);
  }
}

/// For kernels built without the `children` files.
std::vector<pid_t> children_by_scan(pid_t pid) {
  std::vector<pid_t> found;
  for (const std::string& name : entries("/proc")) {
    const std::string stat = read_proc(fmt::format("/proc/{}/stat", name));
    if (leading_number<pid_t>(field(after_name(stat), 1)) == pid)
      found.push_back(leading_number<pid_t>(name));
  }
  return found;
}

}  // namespace

std::vector<pid_t> children_of(pid_t pid) {
  static const bool have_files = ::access("/proc/thread-self/children", R_OK) == 0;
  if (!have_files) return children_by_scan(pid);
  std::vector<pid_t> found;
  for (const std::string& task : entries(fmt::format("/proc/{}/task", pid))) {
    const std::string text = read_proc(fmt::format("/proc/{}/task/{}/children", pid, task));
    std::string_view left = text;
    while (true) {
      while (!left.empty() && left.front() == ' ') left.remove_prefix(1);
      const auto child = leading_number<pid_t>(left);
      if (child <= 0) break;
      found.push_back(child);
      const std::size_t space = left.find(' ');
      left = space == std::string_view::npos ? std::string_view() : left.substr(space);
    }
  }
  return found;
}

std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> found = children_of(pid);
  constexpr std::size_t kEnough = 4096;  // bounds the loop against a fork bomb
  for (std::size_t i = 0; i < found.size() && found.size() < kEnough; ++i) {
    const auto below = children_of(found[i]);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

std::size_t tasks_below(pid_t pid) {
  std::size_t tasks = 0;
  for (const pid_t each : descendants_of(pid)) tasks += entries(fmt::format("/proc/{}/task", each)).size();
  return tasks;
}

std::optional<ProcessMemory> memory_of(pid_t pid) {
  const std::string status = read_proc(fmt::format("/proc/{}/status", pid));
  if (status.empty()) return std::nullopt;
  return ProcessMemory{kilobytes(status, "RssAnon") + kilobytes(status, "RssShmem"),
                       kilobytes(status, "VmHWM")};
}

std::uint64_t proportional_anonymous_bytes(pid_t pid) {
  const std::string rollup = read_proc(fmt::format("/proc/{}/smaps_rollup", pid));
  return kilobytes(rollup, "Pss_Anon") + kilobytes(rollup, "Pss_Shmem");
}

bool reset_peak(pid_t pid) {
  const Fd file(::open(fmt::format("/proc/{}/clear_refs", pid).c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), "5", 1) == 1;
}

std::uint64_t cpu_us_of(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec) / 1'000;
}

std::uint64_t reaped_cpu_us_of(pid_t pid) {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::string stat = read_proc(fmt::format("/proc/{}/stat", pid));
  const std::string_view fields = after_name(stat);
  const auto user = leading_number<std::uint64_t>(field(fields, 13));
  const auto system = leading_number<std::uint64_t>(field(fields, 14));
  return (user + system) * 1'000'000 / ticks;
}

}  // namespace gaur
