#pragma once
// How the process of a data folder ends. The file `running` in the folder exists while a host runs; the next
// host reads it and decides whether a job may have ended the previous one:
//
//   stopped (no such file), killed from outside, power cut, restarted machine    no
//   SIGBUS: the disk or the file of the store failed                             no
//   it crashed: SIGSEGV, SIGFPE, SIGILL or abort() of its own                    yes
//   the kernel killed a process for lack of memory just before the host died     yes
//
// If so, the jobs that were active count as stalled, so that worker.max_stalled bounds how often a job can
// end its host. Else no counter changes. Only the kernel's count for the whole machine outlives a container,
// so kills of other programs count too.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gaur/result.hpp"

namespace gaur::app {

struct KernelFacts {
  /// Changes when the machine starts; "": unknown.
  std::string boot_id;
  /// Processes killed for lack of memory since the machine started. Nothing: the kernel does not tell.
  std::optional<std::uint64_t> memory_kills;
};
/// Reads sys/kernel/random/boot_id and vmstat below `proc`.
KernelFacts read_kernel_facts(const std::filesystem::path& proc = "/proc");

/// Why a job may have ended the previous host of the folder, as text for the log; nothing: no job did.
std::optional<std::string> jobs_suspected(const std::filesystem::path& data_folder, const KernelFacts& now);

/// The file `running` of this process. At most one exists in a process.
/// Thread-safety: confined to one thread at a time.
class ProcessEnd {
 public:
  /// Writes the file and records crashes of this process in it from now on. The caller has locked the folder.
  /// Errors: kIo.
  static Result<std::unique_ptr<ProcessEnd>> record(const std::filesystem::path& data_folder,
                                                    const KernelFacts& now);
  /// The process ends in order: removes the file.
  ~ProcessEnd();
  ProcessEnd(const ProcessEnd&) = delete;
  ProcessEnd& operator=(const ProcessEnd&) = delete;

  /// Call this regularly. A kill that this process survives by one interval is not what ends it.
  void update(const KernelFacts& now);

 private:
  ProcessEnd(std::filesystem::path file, int fd, KernelFacts facts);
  Status write() const;

  std::filesystem::path file_;
  int fd_;
  KernelFacts recorded_;
  std::optional<std::uint64_t> seen_kills_;
};

}  // namespace gaur::app
