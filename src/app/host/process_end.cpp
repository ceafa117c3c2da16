#include "app/host/process_end.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <fstream>

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/try.hpp"

namespace gaur::app {

namespace {

constexpr std::uintmax_t kLargest = 4096;
/// The first line has this length, so that a crash is written behind it.
constexpr std::size_t kLine = 64;
constexpr std::string_view kCrash = "signal ";
constexpr std::array kCrashes{SIGSEGV, SIGFPE, SIGILL, SIGABRT};

std::atomic<int> crash_fd{-1};

/// Records the signal, then lets it end the process. Only async-signal-safe calls.
void on_crash(int signal, siginfo_t* info, void*) {
  const bool from_outside = info->si_code <= 0 && info->si_pid != getpid();
  const int fd = crash_fd.load();
  if (fd >= 0 && !from_outside) {
    char text[] = "signal 00\n";
    text[7] = static_cast<char>('0' + signal / 10);
    text[8] = static_cast<char>('0' + signal % 10);
    [[maybe_unused]] const auto written = pwrite(fd, text, sizeof text - 1, kLine);
  }
  raise(signal);  // SA_RESETHAND: the default action follows
}

void record_crashes(int fd) {
  crash_fd = fd;
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | static_cast<int>(SA_RESETHAND);
  for (const int signal : kCrashes) sigaction(signal, &action, nullptr);
}

std::string first_line(const KernelFacts& facts) {
  const std::string kills = facts.memory_kills ? std::to_string(*facts.memory_kills) : "-";
  std::string line = fmt::format("{} {}", facts.boot_id.empty() ? "-" : facts.boot_id, kills);
  line.resize(kLine - 1, ' ');
  return line + "\n";
}

std::optional<std::uint64_t> count_of(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end != text.data() ? std::optional(count) : std::nullopt;
}

}  // namespace

KernelFacts read_kernel_facts(const std::filesystem::path& proc) {
  KernelFacts facts;
  std::ifstream(proc / "sys/kernel/random/boot_id") >> facts.boot_id;
  if (facts.boot_id.size() > 36) facts.boot_id.clear();
  std::ifstream vmstat(proc / "vmstat");
  std::string name;
  for (std::uint64_t value = 0; vmstat >> name >> value;) {
    if (name == "oom_kill") facts.memory_kills = value;
  }
  return facts;
}

std::optional<std::string> jobs_suspected(const std::filesystem::path& data_folder, const KernelFacts& now) {
  const auto text = read_file(data_folder / "running", kLargest);
  if (!text || text->size() < kLine) return std::nullopt;
  const std::string_view crash = std::string_view(*text).substr(kLine);
  if (crash.starts_with(kCrash)) {
    const auto signal = count_of(crash.substr(kCrash.size()));
    const char* name = signal ? sigabbrev_np(static_cast<int>(*signal)) : nullptr;
    return fmt::format("it crashed{}", name == nullptr ? "" : fmt::format(" (SIG{})", name));
  }
  const std::size_t space = text->find(' ');
  if (now.boot_id.empty() || text->substr(0, space) != now.boot_id) return std::nullopt;
  const auto kills = count_of(std::string_view(*text).substr(space + 1));
  if (!kills || !now.memory_kills || *now.memory_kills <= *kills) return std::nullopt;
  return "the kernel killed a process for lack of memory just before it ended";
}

ProcessEnd::ProcessEnd(std::filesystem::path file, int fd, KernelFacts facts)
    : file_(std::move(file)), fd_(fd), recorded_(std::move(facts)), seen_kills_(recorded_.memory_kills) {}

Result<std::unique_ptr<ProcessEnd>> ProcessEnd::record(const std::filesystem::path& data_folder,
                                                       const KernelFacts& now) {
  const std::filesystem::path file = data_folder / "running";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return errno_error("cannot write " + file.string(), errno);
  std::unique_ptr<ProcessEnd> end(new ProcessEnd(file, fd, now));
  GAUR_CHECK(end->write());
  record_crashes(fd);
  return end;
}

ProcessEnd::~ProcessEnd() {
  crash_fd = -1;
  ::close(fd_);
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

Status ProcessEnd::write() const {
  const std::string line = first_line(recorded_);
  if (pwrite(fd_, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()))
    return errno_error("cannot write " + file_.string(), errno);
  return ok();
}

void ProcessEnd::update(const KernelFacts& now) {
  const bool survived = now.memory_kills == seen_kills_ && now.memory_kills != recorded_.memory_kills;
  seen_kills_ = now.memory_kills;
  if (!survived) return;
  recorded_.memory_kills = now.memory_kills;
  // On a full disk the old record stays: the kill then counts if this process is killed later.
  [[maybe_unused]] const Status written = write();
}

}  // namespace gaur::app
