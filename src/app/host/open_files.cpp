#include "app/host/open_files.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

namespace gaur::app {

namespace {
/// For runners, store and connections beyond the limit.
constexpr std::uint64_t kOwnFiles = 512;
}  // namespace

void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<std::string> open_files_warning(const Config& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return std::nullopt;
  const std::uint64_t needed = config.max_connections + kOwnFiles;
  if (limit.rlim_max >= needed) return std::nullopt;
  return fmt::format(
      "this process may open {} files, and server.max_connections ({}) needs {}; raise the limit (systemd: "
      "LimitNOFILE={}, shell: ulimit -n {}) or lower that key",
      limit.rlim_max, config.max_connections, needed, needed, needed);
}

}  // namespace gaur::app
