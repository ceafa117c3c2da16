#pragma once
// The real client: one I/O thread, one connection for commands and, from the first subscription on, one for
// messages.
#include <memory>

#include "base/env.hpp"
#include "redis/client.hpp"
#include "redis/options.hpp"

namespace gaur::redis {

/// Never fails and does not block: it connects in the background, and retries until it is destroyed. ready()
/// reports the result of the first attempt, health() the current state. Futures are fulfilled and listeners
/// called on env.loop, which must outlive the client. Destroying the client completes pending requests with
/// kStopping. Thread-safety: as Client.
std::unique_ptr<Client> connect(ClientOptions options, Env env);

}  // namespace gaur::redis
