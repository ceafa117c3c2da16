#pragma once
// Limits of runners through cgroup version 2: one cgroup for each runner below that of this process. Without
// a delegated cgroup runners keep RLIMIT_DATA and the measured limit. Thread-safety: confined to one thread.
#include <cstdint>
#include <filesystem>
#include <string>

#include "gaur/result.hpp"

namespace gaur {

/// Where the kernel shows cgroups. Tests use a folder that they fill.
struct CgroupPaths {
  std::filesystem::path mount = "/sys/fs/cgroup";
  /// Names the cgroup of this process.
  std::filesystem::path self = "/proc/self/cgroup";
};

struct CgroupLimits {
  /// 0: none.
  std::uint64_t memory_bytes = 0;
  std::uint32_t threads = 1;
  /// The keeper's limit; the kernel's is twice that. 0: none.
  std::uint32_t max_processes = 1024;
};

class Cgroups {
 public:
  /// Whether runners would get cgroups here; changes nothing. Errors: kUnsupported, with the reason.
  static Status available(const CgroupPaths& paths = {});
  /// Moves this process into the cgroup `host` below its own, because only cgroups without processes can
  /// limit those below them. Errors: as available(); kIo.
  static Result<Cgroups> prepare(const CgroupPaths& paths = {});

  /// Creates the cgroup of a runner, and returns its folder. A process joins it by writing 0 to cgroup.procs.
  /// Errors: kIo.
  Result<std::filesystem::path> create(const std::string& name, const CgroupLimits& limits) const;

 private:
  explicit Cgroups(std::filesystem::path own) : own_(std::move(own)) {}
  std::filesystem::path own_;
};

/// Sets memory.max of a runner's cgroup. Errors: kIo.
Status set_cgroup_memory(const std::filesystem::path& cgroup, std::uint64_t bytes);
/// How often the kernel killed a process of it for its memory.
std::uint64_t cgroup_oom_kills(const std::filesystem::path& cgroup);
/// memory.peak: the highest memory of all its processes, page cache included, since its creation. 0: unknown.
std::uint64_t cgroup_peak_bytes(const std::filesystem::path& cgroup);
/// SIGKILL to all its processes at once, also those that are being forked.
void kill_cgroup(const std::filesystem::path& cgroup);
/// Removes it once it has no process. Returns false while it has.
bool remove_cgroup(const std::filesystem::path& cgroup);

}  // namespace gaur
