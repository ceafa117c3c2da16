#pragma once
// Gaur's hosts as the store shows them: each host's connection carries its name, machine, process and prefix,
// so that a host is found without knowing its data folder. Thread-safety: pure functions, but for asking.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "redis/client.hpp"

namespace gaur::app {

struct SeenHost {
  std::string worker;   ///< the name under which it holds jobs
  std::string machine;  ///< its host name
  std::int64_t pid = 0;
  std::string prefix;
  std::string address;  ///< as the server sees it
  std::uint32_t db = 0;
  bool operator==(const SeenHost&) const = default;
};

/// The name of a host's connection: "gaur:WORKER@MACHINE:PID/PREFIX", each part percent-encoded.
std::string host_connection_name(const SeenHost& host);
/// The hosts among the lines of CLIENT LIST, one entry a process and prefix.
std::vector<SeenHost> hosts_in(std::string_view clients);

/// Those that work on `db` and `prefix` now. Blocks. Errors: kPermission where this user may not see clients,
/// and those of the client.
Result<std::vector<SeenHost>> ask_hosts(redis::Client& client, std::uint32_t db, const std::string& prefix);

/// "host-1a2b3c4d (pid 17 on machine-1, 10.0.0.7:4711)".
std::string in_words(const SeenHost& host);

}  // namespace gaur::app
