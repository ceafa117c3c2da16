#include "runner/isolation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/landlock.hpp"
#include "base/syscall_filter.hpp"
#include "runner/cgroups.hpp"

namespace gaur {
namespace {

namespace fs = std::filesystem;

/// What the runtimes of languages read beside the system's paths: name resolution, certificates, users. Of
/// the folders of TLS only the public parts: the rule of a folder covers everything below it, private keys
/// too.
constexpr std::array kRuntimePaths{"/bin",
                                   "/etc/alternatives",
                                   "/etc/ssl/certs",
                                   "/etc/ssl/cert.pem",
                                   "/etc/ssl/ca-bundle.pem",
                                   "/etc/ssl/openssl.cnf",
                                   "/etc/ca-certificates",
                                   "/etc/crypto-policies",
                                   "/etc/pki/ca-trust",
                                   "/etc/pki/java",
                                   "/etc/pki/tls/cert.pem",
                                   "/etc/pki/tls/certs",
                                   "/etc/pki/tls/openssl.cnf",
                                   "/etc/hosts",
                                   "/etc/resolv.conf",
                                   "/etc/host.conf",
                                   "/etc/nsswitch.conf",
                                   "/etc/gai.conf",
                                   "/etc/services",
                                   "/etc/protocols",
                                   "/etc/passwd",
                                   "/etc/group",
                                   "/etc/fonts",
                                   "/etc/mime.types",
                                   "/etc/os-release",
                                   "/etc/python3",
                                   "/etc/python3.11",
                                   "/etc/nodejs",
                                   "/etc/java",
                                   "/run/systemd/resolve",
                                   "/dev/random",
                                   "/dev/zero",
                                   "/dev/full"};

constexpr int kAbiOfScopes = 6;

LandlockRules rules_of(const Isolation& isolation, const fs::path& scratch) {
  LandlockRules rules;
  rules.files = isolation.level == Isolation::Level::kStrict && isolation.confine_files;
  rules.deny_tcp = !isolation.network;
  rules.deny_abstract_sockets = rules.files;
  if (!rules.files) return rules;
  rules.read = paths_of_every_runner();
  rules.read.insert(rules.read.end(), isolation.read.begin(), isolation.read.end());
  rules.write = system_write_paths();
  rules.write.insert(rules.write.end(), isolation.write.begin(), isolation.write.end());
  // Not the folder itself: its parts must not be replaced with symbolic links.
  for (const char* part : {"tmp", "out"}) {
    if (!scratch.empty()) rules.write.push_back(scratch / part);
  }
  return rules;
}

int number_of(const Error& error) {
  return error.code == Errc::kUnsupported ? ENOSYS : errno != 0 ? errno : EIO;
}

std::string joined(const std::vector<gid_t>& groups) {
  std::string text;
  for (const gid_t group : groups) text += (text.empty() ? "" : ",") + std::to_string(group);
  return text;
}

std::vector<gid_t> groups_from(const std::string& text) {
  std::vector<gid_t> groups;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    groups.push_back(static_cast<gid_t>(std::strtoul(at, &end, 10)));
    if (end == at) return {};
    at = *end == ',' ? end + 1 : end;
  }
  return groups;
}

UserIds& user_of(Isolation& isolation) {
  return isolation.user ? *isolation.user : isolation.user.emplace();
}

}  // namespace

const char* to_string(Isolation::Level level) {
  return level == Isolation::Level::kOff ? "off" : level == Isolation::Level::kBasic ? "basic" : "strict";
}

const char* to_string(IsolationStep step) {
  switch (step) {
    case IsolationStep::kCgroup: return "move the runner into its cgroup";
    case IsolationStep::kUser: return "switch to the runners' user";
    case IsolationStep::kLandlock: return "confine the runner with Landlock";
    case IsolationStep::kSeccomp: return "filter the runner's system calls";
    case IsolationStep::kProcesses: return "limit the runner's processes";
    case IsolationStep::kNone: break;
  }
  return "start the runner";
}

IsolationFailure isolate(const Isolation& isolation, const fs::path& scratch) {
  const bool confined = isolation.level != Isolation::Level::kOff;
  if (isolation.user || confined) {
    const UserIds* user = isolation.user ? &*isolation.user : nullptr;
    if (const Status dropped = drop_privileges(user); !dropped)
      return {IsolationStep::kUser, number_of(dropped.error())};
  }
  if (!confined) return {};
  const auto tolerated = [&](const Error& error) {
    return error.code == Errc::kUnsupported && !isolation.required;
  };
  if (const Status done = confine_this_thread(rules_of(isolation, scratch));
      !done && !tolerated(done.error()))
    return {IsolationStep::kLandlock, number_of(done.error())};
  const bool strict = isolation.level == Isolation::Level::kStrict;
  const SyscallFilter filter{
      .deny_sockets = !isolation.network, .deny_namespaces = strict, .deny_ipc_objects = strict};
  if (const Status done = filter_system_calls(filter); !done && !tolerated(done.error()))
    return {IsolationStep::kSeccomp, number_of(done.error())};
  return {};
}

std::vector<Protection> protections_of(const Isolation& isolation) {
  std::vector<Protection> found;
  const auto put = [&](std::string name, std::string missing) {
    found.push_back({std::move(name), std::move(missing)});
  };
  put("no new privileges", "");
  const Status forks = fork_supervision_available();
  put("limit of processes", forks ? "" : forks.error().message);
  if (isolation.user) {
    put("own user " + isolation.user->name, "");
  } else {
    put("own user", may_switch_users() ? "runners.user names none, and there is no user gaur-runner"
                                       : "this host may not switch users (CAP_SETUID, CAP_SETGID)");
  }
  if (isolation.level == Isolation::Level::kOff) {
    put("limits of a cgroup", "isolation is off");
    put("capabilities, system calls, signals, files, network", "isolation is off");
    return found;
  }
  const Status cgroups = Cgroups::available();
  put("limits of a cgroup", cgroups ? "" : cgroups.error().message);
  put("no capabilities", "");
  const Status seccomp = seccomp_available();
  const std::string why_seccomp = seccomp ? "" : seccomp.error().message;
  put("system call filter", why_seccomp);
  const auto abi = landlock_abi();
  const std::string no_landlock = abi ? "" : abi.error().message;
  put("no signals to other processes",
      !abi                  ? no_landlock
      : *abi < kAbiOfScopes ? fmt::format("needs Landlock ABI {}, this kernel has {}", kAbiOfScopes, *abi)
                            : "");
  const bool strict = isolation.level == Isolation::Level::kStrict;
  put(kFilesProtection, strict ? no_landlock : "isolation is basic");
  put("no namespaces", strict ? why_seccomp : "isolation is basic");
  put("no network", isolation.network ? "network is on" : why_seccomp);
  return found;
}

std::vector<fs::path> paths_of_every_runner() {
  std::vector<fs::path> paths = system_read_paths();
  paths.insert(paths.end(), kRuntimePaths.begin(), kRuntimePaths.end());
  return paths;
}

std::vector<fs::path> paths_of_command(const std::vector<std::string>& command, const fs::path& folder,
                                       const char* path_list) {
  std::vector<fs::path> paths;
  if (command.empty()) return paths;
  std::error_code ignored;
  fs::path program = command.front();
  if (command.front().find('/') == std::string::npos) {
    for (const fs::path& place : folders_in(path_list)) {
      if (::access((place / program).c_str(), X_OK) != 0) continue;
      program = place / program;
      break;
    }
  }
  for (const fs::path& file : {folder / program, fs::canonical(folder / program, ignored)}) {
    if (file.empty()) continue;
    paths.push_back(file);
    const fs::path place = file.parent_path();
    if (place.filename() != "bin") continue;
    for (const char* beside : {"bin", "lib", "lib64", "share", "pyvenv.cfg"})
      paths.push_back(place.parent_path() / beside);
  }
  for (std::size_t i = 1; i < command.size(); ++i) {
    const fs::path file = folder / command[i];
    if (fs::is_regular_file(file, ignored)) paths.push_back(file);
  }
  return paths;
}

std::vector<std::string> to_arguments(const Isolation& isolation) {
  std::vector<std::string> arguments{"--isolation", to_string(isolation.level)};
  const auto put = [&](const char* name, std::string value) {
    arguments.emplace_back(name);
    arguments.push_back(std::move(value));
  };
  if (isolation.user) {
    put("--uid", std::to_string(isolation.user->uid));
    put("--groups", joined(isolation.user->groups));
  }
  if (isolation.required) put("--required", "1");
  if (!isolation.confine_files) put("--confine-files", "0");
  if (!isolation.network) put("--network", "0");
  for (const auto& path : isolation.read) put("--read", path.string());
  for (const auto& path : isolation.write) put("--write", path.string());
  return arguments;
}

void read_argument(Isolation& isolation, const std::string& name, const std::string& value) {
  if (name == "--isolation") {
    isolation.level = value == "strict"  ? Isolation::Level::kStrict
                      : value == "basic" ? Isolation::Level::kBasic
                                         : Isolation::Level::kOff;
  }
  if (name == "--uid") user_of(isolation).uid = static_cast<uid_t>(std::strtoul(value.c_str(), nullptr, 10));
  if (name == "--groups") user_of(isolation).groups = groups_from(value);
  if (name == "--required") isolation.required = value == "1";
  if (name == "--confine-files") isolation.confine_files = value != "0";
  if (name == "--network") isolation.network = value != "0";
  if (name == "--read") isolation.read.emplace_back(value);
  if (name == "--write") isolation.write.emplace_back(value);
}

}  // namespace gaur
