#include "base/syscall_filter.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <memory>

#include "base/fd.hpp"
#include "base/try.hpp"

namespace gaur {
namespace {

/// Names that libseccomp does not know on this architecture are skipped.
constexpr const char* kAlways[] = {
    // debugging and reading other processes
    "process_madvise", "process_mrelease", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp",
    "pidfd_getfd", "perf_event_open",
    // file systems, and files without their path
    "mount", "umount", "umount2", "mount_setattr", "move_mount", "fsopen", "fsmount", "fspick", "fsconfig",
    "open_tree", "pivot_root", "open_by_handle_at", "name_to_handle_at", "quotactl", "quotactl_fd",
    // the kernel and the machine
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf", "reboot",
    "swapon", "swapoff", "acct", "syslog", "settimeofday", "clock_settime", "clock_settime64",
    "clock_adjtime", "clock_adjtime64", "adjtimex", "stime", "sethostname", "setdomainname", "iopl", "ioperm",
    "lookup_dcookie", "nfsservctl", "vhangup", "setns",
    // keys of other sessions
    "add_key", "request_key", "keyctl",
    // common in exploits of the kernel; io_uring also does what a filter denies
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"};

/// libseccomp's number for kernels that have both notifications and SECCOMP_USER_NOTIF_FLAG_CONTINUE.
constexpr unsigned kApiOfNotifications = 6;

constexpr unsigned long kNamespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                         CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};

class Rules {
 public:
  Rules() : context_(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release) {
#if defined(__x86_64__)
    // Programs may call through the older tables as well.
    if (context_ != nullptr) add_architecture(SCMP_ARCH_X86), add_architecture(SCMP_ARCH_X32);
#endif
    if (context_ == nullptr) problem_ = ENOMEM;
  }

  void deny(const char* name, int error_number = EPERM) {
    add(name, error_number, 0, {});
  }
  /// The call waits for an answer.
  void notify(const char* name) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (problem_ != 0 || number == __NR_SCMP_ERROR) return;
    problem_ = -::seccomp_rule_add(context_.get(), SCMP_ACT_NOTIFY, number, 0);
  }
  void deny_if_set(const char* name, unsigned long bit) {
    add(name, EPERM, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
  }

  void deny_unless_zero(const char* name) {
    add(name, EPERM, 1, SCMP_A0(SCMP_CMP_NE, 0));
  }

  Status load() {
    if (problem_ == 0) problem_ = -::seccomp_load(context_.get());
    if (problem_ == 0) return ok();
    return errno_error("the seccomp filter", problem_);
  }

  /// After load(), if there are calls to notify.
  Result<Fd> listener() const {
    Fd listener(::fcntl(::seccomp_notify_fd(context_.get()), F_DUPFD_CLOEXEC, 0));
    if (!listener) return errno_error("the descriptor of seccomp notifications", errno);
    return listener;
  }

 private:
  void add_architecture(std::uint32_t architecture) {
    const int code = ::seccomp_arch_add(context_.get(), architecture);
    if (code != 0 && code != -EEXIST) problem_ = -code;
  }
  void add(const char* name, int error_number, unsigned count, const scmp_arg_cmp& argument) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (problem_ != 0 || number == __NR_SCMP_ERROR) return;
    const int code = ::seccomp_rule_add_array(
        context_.get(), SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error_number)), number, count, &argument);
    if (code != 0) problem_ = -code;
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int problem_ = 0;
};

}  // namespace

Status seccomp_available() {
  if (::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0) return ok();
  return Error{Errc::kUnsupported, "this kernel has no seccomp filters"};
}

Status filter_system_calls(const SyscallFilter& filter) {
  GAUR_CHECK(seccomp_available());
  Rules rules;
  for (const char* name : kAlways) rules.deny(name);
  // Lower limits than their use would stop the processes of the same user. 0: the caller.
  for (const char* name : {"prlimit64", "move_pages", "migrate_pages"}) rules.deny_unless_zero(name);
  if (filter.deny_sockets) rules.deny("socket", EACCES);
  if (filter.deny_namespaces) {
    rules.deny("unshare");
    rules.deny("chroot");
    // Its flags are in memory, where a filter cannot read them: the C library then calls clone().
    rules.deny("clone3", ENOSYS);
    for (const unsigned long bit : kNamespaces) rules.deny_if_set("clone", bit);
  }
  if (filter.deny_ipc_objects)
    for (const char* name : {"shmget", "semget", "msgget", "mq_open"}) rules.deny(name);
  return rules.load();
}

Status fork_supervision_available() {
  GAUR_CHECK(seccomp_available());
  if (::seccomp_api_get() >= kApiOfNotifications) return ok();
  return Error{Errc::kUnsupported, "this kernel has no seccomp notifications (Linux 5.7)"};
}

Result<Fd> supervise_forks() {
  GAUR_CHECK(fork_supervision_available());
  Rules rules;
  for (const char* name : {"fork", "vfork", "clone", "clone3"}) rules.notify(name);
  GAUR_CHECK(rules.load());
  return rules.listener();
}

}  // namespace gaur
