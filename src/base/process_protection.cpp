#include "base/process_protection.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/fd.hpp"
#include "base/try.hpp"

extern char** environ;

namespace gaur {
namespace {

using CapabilitySets = __user_cap_data_struct[_LINUX_CAPABILITY_U32S_3];

int read_capabilities(CapabilitySets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return static_cast<int>(::syscall(SYS_capget, &header, &sets[0]));
}

bool has(const CapabilitySets& sets, unsigned capability) {
  return (sets[capability / 32].effective & (1U << capability % 32)) != 0;
}

}  // namespace

Status hide_process() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno_error("PR_SET_DUMPABLE", errno);
  return ok();
}

void erase_variables(const std::function<bool(std::string_view)>& is_secret) {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    char* const equals = std::strchr(*entry, '=');
    if (equals == nullptr) continue;
    const std::string_view name(*entry, static_cast<std::size_t>(equals - *entry));
    if (!is_secret(name)) continue;
    names.emplace_back(name);
    ::explicit_bzero(equals + 1, std::strlen(equals + 1));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

Result<UserIds> find_user(const std::string& name) {
  errno = 0;
  const passwd* found = ::getpwnam(name.c_str());
  if (found == nullptr)
    return errno == 0 || errno == ENOENT ? Error{Errc::kNotFound, fmt::format("there is no user {}", name)}
                                         : errno_error("look up user " + name, errno);
  UserIds user{name, found->pw_dir, found->pw_uid, {}};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), found->pw_gid, user.groups.data(), &count) < 0)
    return Error{Errc::kIo, fmt::format("user {} has over 64 groups", name)};
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

bool may_switch_users() {
  CapabilitySets sets{};
  return read_capabilities(sets) == 0 && has(sets, CAP_SETUID) && has(sets, CAP_SETGID);
}

Status drop_privileges(const UserIds* user) {
  // First, while there is CAP_SETPCAP. Without it the set stays: then exec returns capabilities to root only.
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (user != nullptr) {
    const gid_t group = user->groups.front();
    if (::setgroups(user->groups.size(), user->groups.data()) != 0) return errno_error("setgroups", errno);
    if (::setresgid(group, group, group) != 0) return errno_error("setresgid", errno);
    if (::setresuid(user->uid, user->uid, user->uid) != 0) return errno_error("setresuid", errno);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const CapabilitySets none{};
  if (::syscall(SYS_capset, &header, &none[0]) != 0) return errno_error("capset", errno);
  return ok();
}

}  // namespace gaur
