#pragma once
// Finds Gaur's hosts through the store: the name of a host's connection contains its worker, machine, process
// and prefix, so a host is found without knowing its data folder. Thread-safety: pure, except
// connected_hosts().
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "redis/client.hpp"

namespace gaur::app {

struct ConnectedHost {
  /// The worker's name.
  std::string worker;
  /// The machine's host name.
  std::string machine;
  std::int64_t pid = 0;
  std::string prefix;
  /// As the server sees it.
  std::string address;
  std::uint32_t db = 0;
  bool operator==(const ConnectedHost&) const = default;
};

/// The name of a host's connection: "gaur:WORKER@MACHINE:PID/PREFIX", each part percent-encoded.
std::string host_connection_name(const ConnectedHost& host);
/// The hosts in the output of CLIENT LIST, one entry for each process and prefix.
std::vector<ConnectedHost> hosts_in(std::string_view clients);

/// The hosts connected to `db` with `prefix`. Blocks. Errors: kPermission if CLIENT LIST is not permitted,
/// and those of the client.
Result<std::vector<ConnectedHost>> connected_hosts(redis::Client& client, std::uint32_t db,
                                                   const std::string& prefix);

/// "host-1a2b3c4d (pid 17 on machine-1, 10.0.0.7:4711)".
std::string describe(const ConnectedHost& host);

}  // namespace gaur::app
