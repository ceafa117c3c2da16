#pragma once
// The store of a host, embedded or over Redis, opened and checked. Only this file and host.cpp know the
// concrete types behind the interface.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "base/env.hpp"
#include "base/fd.hpp"
#include "base/log.hpp"
#include "bull/inspect.hpp"
#include "core/semantics.hpp"
#include "core/store.hpp"
#include "embedded/embedded_store.hpp"
#include "redis/client.hpp"

namespace gaur::app {

/// Members are in the order of construction. Thread-safety: constructed and destroyed on one thread.
struct OpenedStore {
  /// nullptr: embedded.
  std::unique_ptr<redis::Client> client;
  std::unique_ptr<bull::Inspector> inspector;
  std::unique_ptr<EmbeddedStore> embedded;
  std::unique_ptr<Store> bull;
  /// One connection a queue with the name of a Bull worker, see register_worker().
  std::vector<std::unique_ptr<redis::Client>> worker_connections;
  Semantics semantics{};
  /// "redis 7.0.15 at redis://h:6379/0, prefix bull"; without secrets.
  std::string description;

  Store& store() const { return embedded ? static_cast<Store&>(*embedded) : *bull; }
  /// Why the store does not answer now, or its damage; std::nullopt while it is sound and answers.
  std::optional<std::string> outage() const;
  /// Why the store accepts no adds although it answers; std::nullopt while it does.
  std::optional<std::string> shortage() const;
};

struct StoreParts {
  const Config& config;
  /// Its loop delivers the store's replies.
  Env env;
  Logger log{};
  std::function<void(const Error&)> on_fatal{};
  /// See EmbeddedOptions.
  std::optional<CountActive> count_active{};
};

/// Opens the store. Waits for a Redis server as long as `config` says, then checks its version, eviction
/// policy and role. Blocks. Errors: those of open_embedded(); kDisconnected (no server, a replica),
/// kPermission (password, certificate, eviction), kUnsupported (version); each says what to do.
Result<OpenedStore> open_store(StoreParts parts);

/// Checks that the queue is a Bull queue or does not exist yet. Blocks. Errors: kPermission with the
/// evidence, and those of the client.
Status check_queue_dialect(OpenedStore& opened, const QueueName& queue);

/// Makes Bull's getWorkers() and dashboards list this host as a worker of each configured queue. They read
/// the names of connections, and a connection has one name, so each queue gets a connection for its name
/// only.
void register_worker(OpenedStore& opened, const StoreParts& parts);

/// Whether the error is one of the store, for exit code 3.
bool is_store_error(Errc code);

}  // namespace gaur::app
