#include "runner/cgroups.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/try.hpp"

namespace gaur {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 64 << 10;
/// Of the host: it keeps responding while runners use all cores.
constexpr int kHostWeight = 10'000;
/// memory.max also counts page tables and socket buffers.
constexpr std::uint64_t kKernelBytes = std::uint64_t{32} << 20;

Error unsupported(std::string why) {
  return Error{Errc::kUnsupported, std::move(why)};
}

/// Files of the kernel have no length. "" if it cannot be read.
std::string content_of(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  return fd ? read_all(fd.get(), file.string(), kMostBytes).value_or("") : "";
}

Status put(const fs::path& file, std::string_view text) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) < 0)
    return errno_error(fmt::format("write \"{}\" to {}", text, file.string()), errno);
  return ok();
}

bool has_word(const std::string& text, std::string_view word) {
  const std::string spaced = " " + text + " ";
  const std::size_t at = spaced.find(" " + std::string(word));
  return at != std::string::npos &&
         (spaced[at + word.size() + 1] == ' ' || spaced[at + word.size() + 1] == '\n');
}

std::uint64_t number_from(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// The cgroup of this process, where it may create others.
Result<fs::path> own_cgroup(const CgroupPaths& paths) {
  if (!fs::exists(paths.mount / "cgroup.controllers"))
    return unsupported(fmt::format("cgroup version 2 is not mounted at {}", paths.mount.string()));
  const std::string self = content_of(paths.self);
  const std::size_t at = self.starts_with("0::") ? 0 : self.find("\n0::");
  if (at == std::string::npos) return unsupported("this process is in no cgroup of version 2");
  const std::size_t begin = self.find("::", at) + 3;  // without the leading slash
  const std::string name = self.substr(begin, self.find('\n', begin) - begin);
  if (name.empty()) return unsupported("this process is in the root cgroup; start it as a unit of systemd");
  fs::path own = paths.mount / name;
  if (::access((own / "cgroup.procs").c_str(), W_OK) != 0 ||
      ::access((own / "cgroup.subtree_control").c_str(), W_OK) != 0 || ::access(own.c_str(), W_OK) != 0)
    return unsupported("the cgroup of this process is not delegated to it: the unit needs Delegate=yes");
  const std::string controllers = content_of(own / "cgroup.controllers");
  for (const char* needed : {"memory", "pids"}) {
    if (!has_word(controllers, needed))
      return unsupported(fmt::format("its cgroup has no controller {}: the unit needs Delegate=yes", needed));
  }
  const std::string own_pid = std::to_string(::getpid());
  const std::string processes = content_of(own / "cgroup.procs");
  if (processes != own_pid + "\n")
    return unsupported("other processes are in its cgroup, such as a shell; start it as a unit of systemd");
  return own;
}

}  // namespace

Status Cgroups::available(const CgroupPaths& paths) {
  GAUR_CHECK(own_cgroup(paths));
  return ok();
}

Result<Cgroups> Cgroups::prepare(const CgroupPaths& paths) {
  GAUR_TRY(fs::path own, own_cgroup(paths));
  const fs::path host = own / "host";
  if (::mkdir(host.c_str(), 0755) != 0 && errno != EEXIST)
    return errno_error("create " + host.string(), errno);
  GAUR_CHECK(put(host / "cgroup.procs", "0"));
  for (const char* needed : {"+memory", "+pids"}) GAUR_CHECK(put(own / "cgroup.subtree_control", needed));
  if (has_word(content_of(own / "cgroup.controllers"), "cpu")) {
    GAUR_CHECK(put(own / "cgroup.subtree_control", "+cpu"));
    GAUR_CHECK(put(host / "cpu.weight", std::to_string(kHostWeight)));
  }
  return Cgroups(std::move(own));
}

Result<fs::path> Cgroups::create(const std::string& name, const CgroupLimits& limits) const {
  fs::path cgroup = own_ / name;
  if (::mkdir(cgroup.c_str(), 0755) != 0 && errno != EEXIST)
    return errno_error("create " + cgroup.string(), errno);
  GAUR_CHECK(put(cgroup / "pids.max", limits.max_processes == 0
                                          ? "max"
                                          : std::to_string(std::uint64_t{2} * limits.max_processes)));
  GAUR_CHECK(set_cgroup_memory(cgroup, limits.memory_bytes));
  // All of them at once: without its helper a runner would only hang.
  GAUR_CHECK(put(cgroup / "memory.oom.group", "1"));
  if (fs::exists(cgroup / "cpu.weight")) {
    const std::uint32_t weight = std::clamp(limits.threads * 100U, 100U, 5'000U);
    GAUR_CHECK(put(cgroup / "cpu.weight", std::to_string(weight)));
  }
  return cgroup;
}

Status set_cgroup_memory(const fs::path& cgroup, std::uint64_t bytes) {
  return put(cgroup / "memory.max", bytes == 0 ? "max" : std::to_string(bytes + kKernelBytes));
}

std::uint64_t cgroup_oom_kills(const fs::path& cgroup) {
  const std::string events = "\n" + content_of(cgroup / "memory.events");
  const std::string_view key = "\noom_kill ";
  const std::size_t at = events.find(key);
  return at == std::string::npos ? 0 : number_from(std::string_view(events).substr(at + key.size()));
}

std::uint64_t cgroup_peak_bytes(const fs::path& cgroup) {
  return number_from(content_of(cgroup / "memory.peak"));
}

void kill_cgroup(const fs::path& cgroup) {
  [[maybe_unused]] const Status done = put(cgroup / "cgroup.kill", "1");  // fails where it is removed
}

bool remove_cgroup(const fs::path& cgroup) {
  return ::rmdir(cgroup.c_str()) == 0 || errno != EBUSY;
}

}  // namespace gaur
