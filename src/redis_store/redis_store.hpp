#pragma once
// A Store over Redis: each verb is one Lua script of a Dialect. What the dialect's layout cannot store is
// missing in capabilities(). Gaur's own keys begin with `gaur:<prefix>:<queue>:`; a queue works without them,
// and they can be deleted while no host runs. Durability is the server's: with appendfsync everysec the last
// second of acknowledged adds may be lost. Thread-safety: that of Store.
#include <memory>
#include <string>

#include "base/log.hpp"
#include "core/store.hpp"
#include "redis/client.hpp"

namespace gaur::redis_store {

struct Dialect;

struct StoreOptions {
  /// As given to Bull and BullMQ; "@" and glob characters are rejected.
  std::string prefix = "bull";
  /// How often, and over which time, a job must be seen active without a lock before it is recovered: a peer
  /// moves a job to `active` and locks it in two steps.
  std::uint32_t sightings = 3;
  Duration sighting_span{5'000};
  /// Data points (one a minute) of the counts of finished jobs, as a worker's `metrics.maxDataPoints`. 0: not
  /// counted.
  std::uint32_t metrics_points = 0;
  /// The time zone of schedules without one, as in TZ. "": the machine's.
  std::string local_zone{};
  /// Only for tests: the time that scripts use. Null: the server's own clock.
  const Clock* clock_for_tests = nullptr;
  Logger log{};
};

/// Thread-safety: the client's. `env`'s loop runs the timers of waits and delivers completions.
std::unique_ptr<Store> make_redis_store(redis::Client& client, Env env, Dialect dialect,
                                        StoreOptions options);

}  // namespace gaur::redis_store
