#pragma once
// The cores and memory that this process is allowed to use (admission/slots.hpp computes the slots from
// them). Thread-safety: pure, except for reading /proc and /sys.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gaur::app {

struct Machine {
  double cores = 1;
  std::uint64_t memory_bytes = 0;
  /// "affinity", "cgroup limit" ...
  std::string cores_from;
  /// "MemTotal", "cgroup limit" ...
  std::string memory_from;
};

/// Cores: the process's affinity, limited by the CPU quotas of its cgroup and the cgroups above. Memory:
/// MemTotal, limited by their memory limits (v2 memory.max, v1 memory.limit_in_bytes). Tests pass another
/// `root` for /proc and /sys.
Machine detect_machine(const std::filesystem::path& root = "/");

/// The cores in the text of a cpu.max file ("200000 100000" is 2); nothing for "max".
std::optional<double> parse_cpu_max(const std::string& text);

/// CPU seconds used by all processes since the machine booted, from /proc/stat; 0 if unreadable.
double busy_cpu_seconds(const std::filesystem::path& root = "/");

}  // namespace gaur::app
