#pragma once
// The Bull 4 dialect: a Store over queues that unmodified Bull 4 peers use at the same time.
//
// What Bull's layout cannot hold is absent from capabilities(). Beside the queue's keys stand Gaur's own, all
// beginning `gaur:<prefix>:<queue>:`; a queue works on without them, they can be deleted while no host runs.
// Durability is the server's: with appendfsync everysec an acknowledged add may be lost with the last second.
// Thread-safety: that of Store.
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "core/semantics.hpp"
#include "core/store.hpp"
#include "redis/client.hpp"

namespace gaur::bull {

struct BullOptions {
  std::string prefix = "bull";  ///< as given to Bull; "@" and glob characters are refused
  /// How often, and over which time, a job must be seen active without a lock before the sweep recovers it: a
  /// peer may stand between its pop and its lock.
  std::uint32_t sightings = 3;
  Duration sighting_span{5'000};
  /// Points (one a minute) of Bull's counts of finished jobs, as its `metrics.maxDataPoints`. 0: not counted.
  std::uint32_t metrics_points = 0;
  /// The time zone of schedules that name none, as TZ would say it. "": the machine's.
  std::string local_zone{};
  /// Only for tests: what the scripts take for now. Nothing: the server's own clock.
  const Clock* clock_for_tests = nullptr;
  Logger log{};
};

/// Thread-safety: the client's. `env`'s loop runs the timers of waits; completions come on `env.loop` as
/// well.
std::unique_ptr<Store> make_bull_store(redis::Client& client, Env env, BullOptions options);

}  // namespace gaur::bull
