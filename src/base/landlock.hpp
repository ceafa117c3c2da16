#pragma once
// Confines the calling thread, and all that it starts later, to listed files with Landlock (Linux 5.13 and
// later). Rights can only be taken away: a rule stays until the process and its children have ended, over
// exec too. The rule of a folder covers everything below it. The rule of a file covers that inode only, so a
// file that may be replaced by rename needs the rule of its folder.
#include <filesystem>
#include <string>
#include <vector>

#include "gaur/result.hpp"

namespace gaur {

struct LandlockRules {
  /// Confine files: only the paths in `read` and `write` can be opened.
  bool files = true;
  /// Files and folders: read, list, execute.
  std::vector<std::filesystem::path> read;
  /// Folders: the same, and create, write and remove files and folders. Files: read and write.
  std::vector<std::filesystem::path> write;
  /// No TCP bind and connect (kernels with ABI 4 and later).
  bool deny_tcp = false;
  /// No signals to processes that are not confined by these rules (ABI 6 and later).
  bool deny_signals = true;
  /// No connections to abstract Unix sockets of such processes (ABI 6 and later).
  bool deny_abstract_sockets = true;
};

/// What the C library and most programs read: programs, libraries, time zones and locales, statistics of the
/// machine and of this process. /proc as a whole, because its entries have no lasting identity; Landlock
/// itself protects other processes' memory and environment.
std::vector<std::filesystem::path> system_read_paths();
/// Devices that every program may write.
std::vector<std::filesystem::path> system_write_paths();
/// The folders of a list separated by colons, such as LD_LIBRARY_PATH. nullptr: none.
std::vector<std::filesystem::path> folders_in(const char* list);

/// The version of the kernel's Landlock interface. Errors: kUnsupported with the reason (not built in, not
/// enabled at boot, denied by seccomp).
Result<int> landlock_abi();

/// Applies `rules` to the calling thread; sets no_new_privs. Paths that do not exist are skipped. Call it
/// while the process has one thread: other threads stay unconfined. What the kernel's ABI does not know stays
/// allowed: truncate(2) by path below ABI 3, TCP below 4, signals and abstract sockets below 6. Errors:
/// kUnsupported as above; kIo.
Status confine_this_thread(const LandlockRules& rules);

}  // namespace gaur
