#include "app/config/machine.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  return line;
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  const auto line = first_line(file);
  if (!line || line->empty() || !std::ranges::all_of(*line, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  if (line->size() > 18) return std::nullopt;  // v1 writes "no limit" as a number near 2^63
  return std::stoull(*line);
}

double affinity_cores() {
  for (std::size_t cpus = 1024; cpus <= (1U << 18);
       cpus *= 2) {  // the kernel refuses a set that is too small
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(cpus),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
  }
  return 1;
}

std::uint64_t mem_total(const fs::path& root) {
  std::ifstream stream(root / "proc/meminfo");
  std::string name;
  std::uint64_t kilobytes = 0;
  while (stream >> name >> kilobytes) {
    if (name == "MemTotal:") return kilobytes * 1024;
    stream.ignore(256, '\n');
  }
  return 0;
}

/// The folders of this process's cgroup under `mount` and of all above it, nearest first.
std::vector<fs::path> cgroup_folders(const fs::path& mount, std::string_view own) {
  std::vector<fs::path> folders;
  fs::path relative = fs::path(own).relative_path();
  while (!relative.empty()) {
    folders.push_back(mount / relative);
    relative = relative.parent_path();
  }
  folders.push_back(mount);
  return folders;
}

struct Limits {
  std::optional<double> cores;
  std::optional<std::uint64_t> memory_bytes;
};
template <class T>
void lower(std::optional<T>& limit, std::optional<T> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

void read_v2(const fs::path& folder, Limits& limits) {
  lower(limits.memory_bytes, number_in(folder / "memory.max"));
  if (const auto line = first_line(folder / "cpu.max")) lower(limits.cores, parse_cpu_max(*line));
}
void read_v1_memory(const fs::path& folder, Limits& limits) {
  lower(limits.memory_bytes, number_in(folder / "memory.limit_in_bytes"));
}
void read_v1_cpu(const fs::path& folder, Limits& limits) {
  const auto quota = number_in(folder / "cpu.cfs_quota_us");  // -1 means no limit
  const auto period = number_in(folder / "cpu.cfs_period_us");
  if (quota && period && *period > 0) {
    lower(limits.cores, std::optional<double>(static_cast<double>(*quota) / static_cast<double>(*period)));
  }
}

Limits cgroup_limits(const fs::path& root) {
  Limits limits;
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {  // "0::/a/b" (v2) or "4:memory:/a/b" (v1)
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string own = line.substr(second + 1);
    if (controllers == ",,") {
      for (const fs::path& folder : cgroup_folders(mount, own)) read_v2(folder, limits);
    }
    if (controllers.find(",memory,") != std::string::npos) {
      for (const fs::path& folder : cgroup_folders(mount / "memory", own)) read_v1_memory(folder, limits);
    }
    if (controllers.find(",cpu,") != std::string::npos) {
      for (const fs::path& folder : cgroup_folders(mount / "cpu", own)) read_v1_cpu(folder, limits);
    }
  }
  return limits;
}

}  // namespace

std::optional<double> parse_cpu_max(const std::string& text) {
  std::istringstream stream(text);
  double quota = 0;
  double period = 0;
  if (!(stream >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

double busy_cpu_seconds(const std::filesystem::path& root) {
  std::ifstream stream(root / "proc/stat");
  std::string name;
  double user = 0;
  double nice = 0;
  double system = 0;
  if (!(stream >> name >> user >> nice >> system) || name != "cpu") return 0;
  return (user + nice + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Machine detect_machine(const std::filesystem::path& root) {
  Machine machine{.cores = affinity_cores(),
                  .memory_bytes = mem_total(root),
                  .cores_from = "affinity",
                  .memory_from = "MemTotal"};
  const Limits limits = cgroup_limits(root);
  if (limits.cores && *limits.cores < machine.cores) {
    machine.cores = *limits.cores;
    machine.cores_from = "cgroup limit";
  }
  if (limits.memory_bytes && *limits.memory_bytes < machine.memory_bytes) {
    machine.memory_bytes = *limits.memory_bytes;
    machine.memory_from = "cgroup limit";
  }
  return machine;
}

}  // namespace gaur::app
