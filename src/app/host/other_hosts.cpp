#include "app/host/other_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/files.hpp"
#include "base/system_env.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

constexpr Duration kDisconnectTimeout{2'000};
constexpr Duration kPollInterval{50};

/// The folder whose lock file the process has open; "": none, or not permitted (another user's process).
std::string data_folder_of(std::int64_t pid) {
  std::error_code error;
  for (const std::filesystem::path& entry : entries_of(fmt::format("/proc/{}/fd", pid), error)) {
    std::error_code unreadable;
    const std::filesystem::path target = std::filesystem::read_symlink(entry, unreadable);
    if (!unreadable && target.filename() == "gaur.lock") return target.parent_path().string();
  }
  return "";
}

}  // namespace

Result<OtherHosts> find_other_hosts(RedisAccess& access, const Config& config, std::int64_t ended) {
  const Instant until = access.env().clock.now() + kDisconnectTimeout;
  std::vector<ConnectedHost> hosts;
  while (true) {
    GAUR_TRY(hosts, connected_hosts(access.client(), config.redis->endpoint.db, access.prefix()));
    const auto gone = std::ranges::none_of(
        hosts, [&](const ConnectedHost& host) { return host.pid == ended && host.machine == config.host; });
    if (gone || access.env().clock.now() >= until) break;
    access.pause(kPollInterval);
  }
  OtherHosts others;
  for (ConnectedHost& host : hosts) {
    auto& list = host.machine == config.host ? others.here : others.elsewhere;
    list.push_back(std::move(host));
  }
  return others;
}

std::string with_data_folder(const ConnectedHost& host, std::string_view command) {
  const std::string folder = data_folder_of(host.pid);
  if (folder.empty())
    return fmt::format("{}: `gaur {} --data FOLDER` with its data folder, as its user", describe(host),
                       command);
  return fmt::format("{}: `gaur {} --data {}`", describe(host), command, folder);
}

std::string hosts_hint(const Settings& settings, const Config& config, std::string_view command) {
  if (!config.redis) return "";
  auto access = RedisAccess::open(settings, *config.redis);
  if (!access) return "";
  const auto others = find_other_hosts(**access, config, 0);
  if (!others) return "";
  std::string text;
  for (const ConnectedHost& host : others->here)
    text += "\n  on this machine: " + with_data_folder(host, command);
  for (const ConnectedHost& host : others->elsewhere) text += "\n  on another machine: " + describe(host);
  return text;
}

}  // namespace gaur::app
