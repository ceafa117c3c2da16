#pragma once
// Processes as reported by /proc: their descendants and resource use. Every answer may be stale when it
// arrives, and a process that has gone answers with nothing or 0. Thread-safety: pure functions.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace gaur {

/// Direct children, zombies included.
std::vector<pid_t> children_of(pid_t pid);
/// All processes below `pid`, parents before children; `pid` itself is not among them.
std::vector<pid_t> descendants_of(pid_t pid);

/// Processes below `pid`, each counted with all its threads, zombies included.
std::size_t tasks_below(pid_t pid);

struct ProcessMemory {
  /// RssAnon + RssShmem: resident memory that is not a mapped file.
  std::uint64_t anonymous_bytes = 0;
  /// VmHWM: highest resident memory, mapped files included, since reset_peak().
  std::uint64_t peak_bytes = 0;
};
std::optional<ProcessMemory> memory_of(pid_t pid);
/// The process's share of its resident memory that is not a mapped file (pages shared by n count 1/n). Walks
/// page tables: dear for big processes.
std::uint64_t proportional_anonymous_bytes(pid_t pid);
/// VmHWM counts anew from now. False where the kernel refuses.
bool reset_peak(pid_t pid);

/// CPU time of the process's own threads, exact to the scheduler's clock.
std::uint64_t cpu_us_of(pid_t pid);
/// CPU time of its children that have ended and were waited for, in steps of 10 ms.
std::uint64_t reaped_cpu_us_of(pid_t pid);

}  // namespace gaur
