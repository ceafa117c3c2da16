#include "app/host/opened_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "app/look/connected_hosts.hpp"
#include "base/try.hpp"
#include "bull/bull_store.hpp"
#include "redis/connect.hpp"
#include "redis_store/server_facts.hpp"
#include "schedule/zone.hpp"

namespace gaur::app {
namespace {

constexpr Duration kRetryInterval{100};

/// Blocks the calling thread for kRetryInterval, by the loop's clock.
void wait_to_retry(const Env& env) {
  Promise<Unit> promise;
  auto future = promise.future();
  env.loop.post_at(env.clock.now() + kRetryInterval, [promise] { promise.set({}); });
  std::move(future).get();
}

Result<OpenedStore> open_embedded_store(StoreParts parts) {
  const Config& config = parts.config;
  EmbeddedOptions options;
  options.folder = config.data_folder;
  options.durability = config.relaxed ? Durability::kRelaxed : Durability::kCommit;
  options.reserve_bytes = config.reserve_bytes;
  options.log = parts.log;
  options.on_fatal = std::move(parts.on_fatal);
  options.count_active = parts.count_active;
  OpenedStore opened;
  GAUR_TRY(opened.embedded, open_embedded(std::move(options), parts.env.clock, parts.env.loop));
  opened.semantics = Semantics::bullmq();
  opened.description = "embedded in " + config.data_folder.string();
  return opened;
}

redis::ClientOptions client_options_of(const RedisConfig& redis, const std::string& name, const Logger& log) {
  redis::ClientOptions options;
  options.endpoint = redis.endpoint;
  options.client_name = name;
  options.backoff_max = Duration(500);
  options.away = redis.fail_fast ? redis::Away::kFailFast : redis::Away::kQueue;
  options.log = log;
  return options;
}

/// Waits while the client retries. Other errors than of the connection return at once: a retry does not fix
/// them.
Status wait_until_connected(redis::Client& client, const RedisConfig& redis, const Env& env) {
  const Instant end = env.clock.now() + redis.connect_timeout;
  Status tried = client.ready().get();
  const auto may_pass = [](const Error& error) {
    return error.code == Errc::kDisconnected || error.code == Errc::kTimeout;
  };
  while (!tried && may_pass(tried.error()) && env.clock.now() < end) {
    wait_to_retry(env);
    if (client.connected()) tried = ok();
  }
  if (tried) return ok();
  const std::string where = redis::to_text(redis.endpoint);
  return tried.error().message.starts_with(where) ? tried.error() : tried.error().in(where);
}

/// Retries while the server still loads its data.
Result<bull::ServerFacts> server_facts(OpenedStore& opened, const RedisConfig& redis, const Env& env) {
  const Instant end = env.clock.now() + redis.connect_timeout;
  while (true) {
    auto facts = opened.inspector->server().get();
    if (facts || env.clock.now() >= end) return facts;
    wait_to_retry(env);
  }
}

/// The zone that TZ names, as Node reads it (also ":Asia/Seoul"); "": the machine's zone.
std::string local_zone() {
  const char* const set = std::getenv("TZ");
  std::string_view name = set == nullptr ? "" : set;
  if (name.starts_with(':')) name.remove_prefix(1);
  return schedule::Zone::find(name) ? std::string(name) : "";
}

Result<OpenedStore> open_redis_store(StoreParts parts) {
  const RedisConfig& redis = *parts.config.redis;
  OpenedStore opened;
  const std::string name = host_connection_name({.worker = parts.config.worker_name,
                                                 .machine = parts.config.host,
                                                 .pid = getpid(),
                                                 .prefix = redis.prefix,
                                                 .address = {}});
  opened.client = redis::connect(client_options_of(redis, name, parts.log), parts.env);
  GAUR_CHECK(wait_until_connected(*opened.client, redis, parts.env));
  opened.inspector = std::make_unique<bull::Inspector>(*opened.client, redis.prefix);
  GAUR_TRY(const bull::ServerFacts facts, server_facts(opened, redis, parts.env));
  GAUR_CHECK(redis_store::acceptable(facts, redis.allow_eviction));
  opened.description = fmt::format("{} {} at {}, prefix {}", facts.flavour, facts.version,
                                   redis::to_text(redis.endpoint), redis.prefix);
  if (!facts.append_only) {
    parts.log.warn("Redis has no append-only file: a crash of Redis loses the jobs since its last snapshot",
                   {{"appendonly", "no"}, {"save", facts.save}});
  }
  bull::BullOptions options;
  options.prefix = redis.prefix;
  options.log = parts.log;
  options.local_zone = local_zone();
  opened.bull = bull::make_bull_store(*opened.client, parts.env, options);
  opened.semantics = Semantics::bull();
  return opened;
}

}  // namespace

std::optional<std::string> OpenedStore::outage() const {
  if (embedded) {
    const auto damage = embedded->damage();
    return damage ? std::optional("the store is damaged: " + *damage + "; run gaur doctor") : std::nullopt;
  }
  if (!client) return std::nullopt;
  const redis::Health health = client->health();
  if (!client->connected())
    return "Redis is unreachable" + (health.error ? ": " + health.error->message : std::string());
  if (health.messages) return "no messages from Redis: " + health.messages->message;
  return std::nullopt;
}

std::optional<std::string> OpenedStore::shortage() const {
  if (!embedded) return std::nullopt;
  const EmbeddedStats stats = embedded->stats();
  if (!stats.full) return std::nullopt;
  return stats.starts_blocked
             ? "the disk of the store is full: no jobs are added or started until there is space"
             : "the disk of the store is full: no jobs are added until there is space; jobs run in the "
               "reserve";
}

Result<OpenedStore> open_store(StoreParts parts) {
  return parts.config.redis ? open_redis_store(std::move(parts)) : open_embedded_store(std::move(parts));
}

Status check_queue_dialect(OpenedStore& opened, const QueueName& queue) {
  if (!opened.inspector) return ok();
  GAUR_TRY(const bull::Evidence evidence, opened.inspector->dialect(queue).get());
  return bull::may_be_used_as_bull(queue, evidence);
}

void register_worker(OpenedStore& opened, const StoreParts& parts) {
  const Config& config = parts.config;
  if (!config.redis) return;
  for (const auto& [name, queue] : config.queues) {
    const std::string connection = redis_store::worker_connection_name(config.redis->prefix, QueueName(name));
    opened.worker_connections.push_back(
        redis::connect(client_options_of(*config.redis, connection, {}), parts.env));
  }
}

bool is_store_error(Errc code) {
  return code == Errc::kNewerFormat || code == Errc::kCorrupt || code == Errc::kIo || code == Errc::kBusy ||
         code == Errc::kDisconnected || code == Errc::kTimeout || code == Errc::kPermission ||
         code == Errc::kUnsupported || code == Errc::kStoreFull;
}

}  // namespace gaur::app
