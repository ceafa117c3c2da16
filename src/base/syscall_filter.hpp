#pragma once
// Denies system calls with seccomp, for the calling thread and all that it starts later, over exec too.
// Filters can only be added. base/fork_supervision.hpp answers the calls that a filter reports.
#include "base/fd.hpp"
#include "gaur/result.hpp"

namespace gaur {

struct SyscallFilter {
  /// No sockets but socketpair().
  bool deny_sockets = false;
  /// No new namespaces (user namespaces too) and no chroot. Browsers use these for their own sandbox.
  bool deny_namespaces = false;
  /// No shared memory, semaphores and message queues that outlive the process that creates them.
  bool deny_ipc_objects = false;
};

/// Whether the kernel has seccomp filters. Errors: kUnsupported.
Status seccomp_available();

/// Denies with EPERM what no handler of jobs needs and what a hostile one misuses: mount, ptrace and
/// process_vm_*, kexec, modules, bpf, keys, perf_event_open, userfaultfd, io_uring (which bypasses filters),
/// reboot, swap, clocks, prlimit of other processes; and what `filter` adds. Sets no_new_privs. Call it while
/// the process has one thread. Errors: kUnsupported; kIo.
Status filter_system_calls(const SyscallFilter& filter);

/// Whether the kernel has supervise_forks() (Linux 5.7 and later). Errors: kUnsupported, with the reason.
Status fork_supervision_available();

/// From now on fork, vfork, clone and clone3 of the calling thread, and of all that it starts, over exec too,
/// wait for an answer. Returns the descriptor for the answers; once it is closed, these calls fail with
/// ENOSYS. Needs no_new_privs. Errors: kUnsupported; kIo.
Result<Fd> supervise_forks();

}  // namespace gaur
