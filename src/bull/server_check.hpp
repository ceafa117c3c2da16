#pragma once
// What the Redis server is, as far as jobs depend on it, and whether it will do. Thread-safety: pure
// functions and values; gathering is the client's.
#include <cstdint>
#include <string>
#include <string_view>

#include "gaur/future.hpp"
#include "redis/client.hpp"

namespace gaur::bull {

struct ServerFacts {
  std::string version{};          ///< "7.0.15"
  std::string flavour = "redis";  ///< "valkey" where it says so
  std::string mode{};             ///< standalone, cluster, sentinel
  std::string role{};             ///< master, slave
  std::string maxmemory_policy{};
  std::uint64_t maxmemory_bytes = 0;  ///< 0: unbounded
  std::uint64_t used_bytes = 0, peak_bytes = 0, system_bytes = 0;
  bool append_only = false;
  std::string append_fsync{};    ///< "" where CONFIG is not allowed
  std::string save{};            ///< snapshot rules; "" for none or where CONFIG is not allowed
  bool config_readable = false;  ///< CONFIG GET was allowed
  std::uint64_t evicted_keys = 0, connected_clients = 0, uptime_seconds = 0;
  bool operator==(const ServerFacts&) const = default;
};

/// Out of the text that INFO answers; unknown lines are passed over.
ServerFacts facts_of_info(std::string_view info);

/// INFO and, where allowed, CONFIG GET. Changes nothing.
Async<ServerFacts> ask_server(redis::Client& client);

/// Errors: kUnsupported below the floor (Redis 5.0) or a sentinel; kPermission where the server may throw
/// keys away (any maxmemory-policy but noeviction) and `allow_eviction` does not accept that; kDisconnected
/// on a replica. The message says what to do.
Status acceptable(const ServerFacts& facts, bool allow_eviction);

}  // namespace gaur::bull
