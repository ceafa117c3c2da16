#pragma once
// Hosts that work on the configured queues but not on the configured data folder, found through the store:
// for commands that speak of "the host" and may have been given the wrong folder.
#include <cstdint>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/host/redis_access.hpp"
#include "app/look/hosts_seen.hpp"

namespace gaur::app {

struct OtherHosts {
  std::vector<SeenHost> here;       ///< on this machine
  std::vector<SeenHost> elsewhere;  ///< on others
};

/// `ended`: the pid of a host of this machine that has just ended (0: none); its connection is given a moment
/// to go. Blocks. Errors: those of ask_hosts().
Result<OtherHosts> find_other_hosts(RedisAccess& access, const Config& config, std::int64_t ended);

/// "host-1a (pid 17 on box, 127.0.0.1:4711), data folder /srv/data: gaur leave --data /srv/data"; the folder
/// only where this user may see it.
std::string with_data_folder(const SeenHost& host, std::string_view command);

/// For "no host runs on FOLDER": which hosts the store shows; "" where there is none or it cannot be asked.
std::string hosts_hint(const Settings& settings, const Config& config, std::string_view command);

}  // namespace gaur::app
