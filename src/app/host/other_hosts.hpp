#pragma once
// Finds hosts on the configured store that use another data folder, for commands that act on the host of a
// data folder and may have been given the wrong one.
#include <cstdint>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/host/redis_access.hpp"
#include "app/look/connected_hosts.hpp"

namespace gaur::app {

struct OtherHosts {
  /// On this machine.
  std::vector<ConnectedHost> here;
  /// On other machines.
  std::vector<ConnectedHost> elsewhere;
};

/// `ended`: the pid of a host of this machine that has just ended (0: none); waits up to 2 s until Redis has
/// closed its connection. Blocks. Errors: those of connected_hosts().
Result<OtherHosts> find_other_hosts(RedisAccess& access, const Config& config, std::int64_t ended);

/// "host-1a (pid 17 on db1, 127.0.0.1:4711): `gaur leave --data /srv/data`"; names the folder only if this
/// user has the permission to read it.
std::string with_data_folder(const ConnectedHost& host, std::string_view command);

/// The hosts that are connected to the store, to complete "no host runs on FOLDER"; "": none is known.
std::string hosts_hint(const Settings& settings, const Config& config, std::string_view command);

}  // namespace gaur::app
