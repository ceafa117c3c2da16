#pragma once
// The properties of a Redis server that jobs depend on, and whether Gaur accepts it. Thread-safety: pure
// functions and values; read_server_facts() is the client's.
#include <cstdint>
#include <string>
#include <string_view>

#include "gaur/future.hpp"
#include "redis/client.hpp"

namespace gaur::redis_store {

struct ServerFacts {
  /// "7.0.15".
  std::string version{};
  /// "valkey" if the server reports it.
  std::string flavour = "redis";
  /// Standalone, cluster, sentinel.
  std::string mode{};
  /// Master, slave.
  std::string role{};
  std::string maxmemory_policy{};
  /// 0: unbounded.
  std::uint64_t maxmemory_bytes = 0;
  std::uint64_t used_bytes = 0, peak_bytes = 0, system_bytes = 0;
  bool append_only = false;
  /// "" if CONFIG is denied.
  std::string append_fsync{};
  /// Snapshot rules; "" for none, or if CONFIG is denied.
  std::string save{};
  /// CONFIG GET was allowed.
  bool config_readable = false;
  std::uint64_t evicted_keys = 0, connected_clients = 0, uptime_seconds = 0;
  bool operator==(const ServerFacts&) const = default;
};

/// From the reply of INFO; unknown lines are ignored.
ServerFacts facts_of_info(std::string_view info);

/// Sends INFO and, if allowed, CONFIG GET.
Async<ServerFacts> read_server_facts(redis::Client& client);

/// Errors, each with advice: kUnsupported: older than Redis 5.0, or a Sentinel; kPermission: the server may
/// evict keys (any maxmemory-policy but noeviction) and `allow_eviction` is not set; kDisconnected: a
/// replica.
Status acceptable(const ServerFacts& facts, bool allow_eviction);

}  // namespace gaur::redis_store
