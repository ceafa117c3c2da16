#include "base/landlock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/fd.hpp"
#include "base/try.hpp"

namespace gaur {
namespace {

// Not in the headers of older kernels; the numbers are the kernel's stable interface.
constexpr std::uint64_t kRefer = 1ULL << 13;     // ABI 2
constexpr std::uint64_t kTruncate = 1ULL << 14;  // ABI 3
constexpr std::uint64_t kIoctlDev = 1ULL << 15;  // ABI 5
constexpr std::uint64_t kAbi1 = (1ULL << 13) - 1;
constexpr std::uint64_t kTcp = 3;                            // bind and connect, ABI 4
constexpr std::uint64_t kAbstractSockets = 1, kSignals = 2;  // ABI 6

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t kFile = kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                 LANDLOCK_ACCESS_FS_MAKE_DIR | kRefer | kTruncate;

/// struct landlock_ruleset_attr as of ABI 6; the kernel derives the members from its size.
struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scopes = 0;
};

std::size_t size_for(int abi) {
  if (abi >= 6) return sizeof(RulesetAttributes);
  return abi >= 4 ? 2 * sizeof(std::uint64_t) : sizeof(std::uint64_t);
}

RulesetAttributes attributes_for(int abi, const LandlockRules& rules) {
  RulesetAttributes attributes;
  if (rules.files) {
    attributes.files = kAbi1;
    if (abi >= 2) attributes.files |= kRefer;
    if (abi >= 3) attributes.files |= kTruncate;
    if (abi >= 5) attributes.files |= kIoctlDev;
  }
  if (abi >= 4 && rules.deny_tcp) attributes.network = kTcp;
  if (abi >= 6 && rules.deny_signals) attributes.scopes |= kSignals;
  if (abi >= 6 && rules.deny_abstract_sockets) attributes.scopes |= kAbstractSockets;
  return attributes;
}

Status allow(const Fd& ruleset, const std::filesystem::path& path, std::uint64_t access) {
  const Fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return ok();
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0) return errno_error("open " + path.string(), errno);
  // The kernel rejects the rights of folders in the rule of a file.
  if (!S_ISDIR(about.st_mode)) access &= kFile;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = file.get();
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return errno_error("landlock_add_rule for " + path.string(), errno);
  return ok();
}

}  // namespace

std::vector<std::filesystem::path> system_read_paths() {
  return {"/usr",
          "/lib",
          "/lib64",
          "/etc/ld.so.cache",
          "/etc/ld.so.conf",
          "/etc/ld.so.conf.d",
          "/etc/localtime",
          "/etc/timezone",
          "/proc",
          "/sys/fs/cgroup",
          "/sys/devices/system",
          "/dev/urandom"};
}

std::vector<std::filesystem::path> system_write_paths() {
  return {"/dev/null"};
}

std::vector<std::filesystem::path> folders_in(const char* list) {
  std::vector<std::filesystem::path> folders;
  std::string_view left = list == nullptr ? "" : list;
  while (!left.empty()) {
    const std::size_t colon = left.find(':');
    if (colon != 0) folders.emplace_back(left.substr(0, colon));
    left = colon == std::string_view::npos ? "" : left.substr(colon + 1);
  }
  return folders;
}

Result<int> landlock_abi() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi > 0) return static_cast<int>(abi);
  const char* why = errno == ENOSYS       ? "this kernel has no Landlock, or seccomp hides it"
                    : errno == EOPNOTSUPP ? "Landlock is not enabled: add it to the kernel's lsm= list"
                                          : std::strerror(errno);
  return Error{Errc::kUnsupported, why};
}

Status confine_this_thread(const LandlockRules& rules) {
  GAUR_TRY(const int abi, landlock_abi());
  const RulesetAttributes attributes = attributes_for(abi, rules);
  if ((attributes.files | attributes.network | attributes.scopes) == 0)
    return Error{Errc::kUnsupported, fmt::format("the kernel's Landlock is of ABI {}", abi)};
  const Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size_for(abi), 0)));
  if (!ruleset) return errno_error("landlock_create_ruleset", errno);
  const std::vector<std::filesystem::path> none;
  for (const auto& path : rules.files ? rules.read : none)
    GAUR_CHECK(allow(ruleset, path, kRead & attributes.files));
  for (const auto& path : rules.files ? rules.write : none)
    GAUR_CHECK(allow(ruleset, path, kWrite & attributes.files));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("no_new_privs", errno);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    return errno_error("landlock_restrict_self", errno);
  return ok();
}

}  // namespace gaur
