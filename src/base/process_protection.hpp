#pragma once
// What a process does to protect itself from other processes of the same user, and the privileges that it
// drops before it runs foreign code. Thread-safety: call all functions while the process has one thread.
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/result.hpp"

namespace gaur {

/// Clears PR_SET_DUMPABLE: processes without CAP_SYS_PTRACE cannot read this process's memory and
/// environment, attach a debugger or cause a core dump. Exec sets the flag again.
Status hide_process();

/// Overwrites and removes the variables whose name `is_secret` selects: /proc/PID/environ shows the bytes
/// that the process was started with, which unsetenv() alone does not change. Values from getenv() become
/// empty.
void erase_variables(const std::function<bool(std::string_view name)>& is_secret);

/// A user that runners run as.
struct UserIds {
  std::string name, home;
  uid_t uid = 0;
  /// The primary group is the first.
  std::vector<gid_t> groups;
};

/// The user with this name, with its groups. Errors: kNotFound; kIo.
Result<UserIds> find_user(const std::string& name);

/// Whether this process may become another user (CAP_SETUID and CAP_SETGID).
bool may_switch_users();

/// Becomes `user`, if there is one, for ever, and empties all capability sets, the bounding set included, so
/// that exec returns none, also to root. The parent's death signal (PR_SET_PDEATHSIG) must be set again.
/// Errors: kIo.
Status drop_privileges(const UserIds* user);

}  // namespace gaur
