#pragma once
// The real client: one I/O thread, one connection for commands and, from the first subscription on, one for
// messages.
#include <memory>

#include "base/env.hpp"
#include "redis/client.hpp"
#include "redis/options.hpp"

namespace gaur::redis {

/// Never fails and does not wait: it connects in the background and goes on trying for as long as it lives.
/// ready() tells how the first attempt ended, health() how things stand. Futures are fulfilled and listeners
/// called on env.loop, which must outlive the client. Destroying the client ends what is pending with
/// kStopping. Thread-safety: as Client.
std::unique_ptr<Client> connect(ClientOptions options, Env env);

}  // namespace gaur::redis
