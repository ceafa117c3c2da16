#include "duckdb/usage.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace gaur::duckdb {
namespace {

std::int64_t cpu_now() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto micros = [](const timeval& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_usec;
  };
  return micros(used.ru_utime) + micros(used.ru_stime);
}

std::int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != key) continue;
    std::int64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

}  // namespace

UsageMeter::UsageMeter() : cpu_at_start_(cpu_now()) {
  constexpr char kResetPeak = '5';  // proc(5): clear_refs
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const auto wrote =
      write(file, &kResetPeak, 1);  // if it fails, the peak is that of the process, an upper bound
  close(file);
}

std::int64_t UsageMeter::cpu_us() const {
  return cpu_now() - cpu_at_start_;
}
std::int64_t UsageMeter::peak_rss_bytes() {
  return status_bytes("VmHWM:");
}
bool address_space_fragmented() {
  constexpr rlim_t kShare = 8;  // 1/8 of the limit may be mapped and unused
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  const auto held = status_bytes("VmData:") - status_bytes("RssAnon:");
  return held > 0 && static_cast<rlim_t>(held) > limit.rlim_cur / kShare;
}

std::int64_t UsageMeter::rss_bytes() {
  return status_bytes("VmRSS:");
}

}  // namespace gaur::duckdb
