#include "redis_store/server_facts.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>

namespace gaur::redis_store {

namespace {

constexpr unsigned kFloorMajor = 5;

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::map<std::string, std::string, std::less<>> pairs_of(const redis::Reply& reply) {
  std::map<std::string, std::string, std::less<>> found;
  const redis::Reply::Array* array = reply.array();
  for (std::size_t i = 0; array != nullptr && i + 1 < array->size(); i += 2) {
    const std::string* key = (*array)[i].text();
    const std::string* value = (*array)[i + 1].text();
    if (key != nullptr && value != nullptr) found[*key] = *value;
  }
  return found;
}

}  // namespace

ServerFacts facts_of_info(std::string_view info) {
  ServerFacts facts;
  while (!info.empty()) {
    const auto end = std::min(info.find('\n'), info.size());
    std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (key == "redis_version") facts.version = value;
    if (key == "server_name") facts.flavour = value;
    if (key == "redis_mode") facts.mode = value;
    if (key == "role") facts.role = value;
    if (key == "maxmemory_policy") facts.maxmemory_policy = value;
    if (key == "maxmemory") facts.maxmemory_bytes = number(value);
    if (key == "used_memory") facts.used_bytes = number(value);
    if (key == "used_memory_peak") facts.peak_bytes = number(value);
    if (key == "total_system_memory") facts.system_bytes = number(value);
    if (key == "aof_enabled") facts.append_only = value == "1";
    if (key == "evicted_keys") facts.evicted_keys = number(value);
    if (key == "connected_clients") facts.connected_clients = number(value);
    if (key == "uptime_in_seconds") facts.uptime_seconds = number(value);
  }
  return facts;
}

Async<ServerFacts> read_server_facts(redis::Client& client) {
  Promise<Result<ServerFacts>> promise;
  auto future = promise.future();
  client.pipeline({{"INFO"}, {"CONFIG", "GET", "appendfsync"}, {"CONFIG", "GET", "save"}})
      .then([promise](Result<std::vector<redis::Reply>> replies) {
        if (!replies) return promise.set(replies.error());
        const std::string* info = replies->empty() ? nullptr : replies->front().text();
        if (info == nullptr || replies->size() != 3) {
          const auto* failure = replies->empty() ? nullptr : replies->front().failure();
          return promise.set(
              Error{Errc::kPermission,
                    fmt::format("redis: INFO failed{}{}; Gaur needs it to read version and eviction policy",
                                failure == nullptr ? "" : ": ", failure == nullptr ? "" : failure->text)});
        }
        ServerFacts facts = facts_of_info(*info);
        facts.config_readable = (*replies)[1].array() != nullptr;
        const auto fsync = pairs_of((*replies)[1]);
        const auto save = pairs_of((*replies)[2]);
        if (const auto found = fsync.find("appendfsync"); found != fsync.end())
          facts.append_fsync = found->second;
        if (const auto found = save.find("save"); found != save.end()) facts.save = found->second;
        promise.set(std::move(facts));
      });
  return future;
}

Status acceptable(const ServerFacts& facts, bool allow_eviction) {
  if (facts.mode == "sentinel")
    return Error{Errc::kUnsupported,
                 "redis: this is a Sentinel; use the address of the server that it monitors"};
  if (number(facts.version) < kFloorMajor) {
    return Error{
        Errc::kUnsupported,
        fmt::format("redis: version {} is older than 5.0; upgrade the server (6.2 or later is recommended)",
                    facts.version.empty() ? "unknown" : facts.version)};
  }
  if (facts.role == "slave")
    return Error{Errc::kDisconnected, fmt::format("redis: {}", redis::kReplicaAdvice)};
  const bool evicts = !facts.maxmemory_policy.empty() && facts.maxmemory_policy != "noeviction";
  if (evicts && !allow_eviction) {
    return Error{
        Errc::kPermission,
        fmt::format("redis: maxmemory-policy is {}, so the server may evict jobs and locks. Run CONFIG SET "
                    "maxmemory-policy noeviction (and set it in redis.conf), or accept the loss with "
                    "allow_eviction=1 in the store's URL",
                    facts.maxmemory_policy)};
  }
  return ok();
}

}  // namespace gaur::redis_store
