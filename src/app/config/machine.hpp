#pragma once
// What this process may use of the machine (admission/slots.hpp has the arithmetic from
// there to slots). Thread-safety: pure but
// for reading /proc and /sys.
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

/// Cores: the process's affinity, lowered by the CPU quota of its cgroup and all above it; memory: MemTotal,
/// lowered by their memory limits (v2 memory.max, v1 memory.limit_in_bytes). `root` stands before /proc and
/// /sys, for tests.
Machine detect_machine(const std::filesystem::path& root = "/");

/// Cores of a cpu.max text ("200000 100000" is 2); nothing for "max".
std::optional<double> parse_cpu_max(const std::string& text);

/// CPU seconds that all processes of the machine have used since it started, from /proc/stat; 0 if
/// unreadable.
double busy_cpu_seconds(const std::filesystem::path& root = "/");

}  // namespace gaur::app
