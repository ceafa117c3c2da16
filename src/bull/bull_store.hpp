#pragma once
// The Store over Bull 4's layout: unmodified Bull 4 peers use its queues at the same time.
// Thread-safety: that of Store.
#include <memory>

#include "redis_store/redis_store.hpp"

namespace gaur::bull {

using BullOptions = redis_store::StoreOptions;

/// Thread-safety: the client's. `env`'s loop runs the timers of waits and delivers completions.
std::unique_ptr<Store> make_bull_store(redis::Client& client, Env env, BullOptions options);

}  // namespace gaur::bull
