#pragma once
// The store of a host: embedded or over Redis, opened and checked. Together with host.cpp the only place that
// knows what stands behind the seam.
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

/// Members in the order of building. Thread-safety: built and destroyed by one thread; what it holds as it
/// says itself.
struct OpenedStore {
  std::unique_ptr<redis::Client> client;  ///< nullptr: embedded
  std::unique_ptr<bull::Inspector> inspector;
  std::unique_ptr<EmbeddedStore> embedded;
  std::unique_ptr<Store> bull;
  /// A connection a queue that carries the name of Bull's workers, see show_worker().
  std::vector<std::unique_ptr<redis::Client>> shown;
  Semantics semantics{};
  std::string what;  ///< "redis 7.0.15 at redis://h:6379/0, prefix bull": for people, without secrets

  Store& store() const { return embedded ? static_cast<Store&>(*embedded) : *bull; }
  /// Why it does not answer now; nothing while it does.
  std::optional<std::string> away() const;
};

struct StoreParts {
  const Config& config;
  Env env;  ///< its loop delivers what the store answers
  Logger log{};
  std::function<void(const Error&)> on_fatal{};
};

/// Opens it. A Redis server is waited for as long as config says, then looked at: floor, eviction, role.
/// Blocks. Errors: those of open_embedded(); kDisconnected (nobody there, a replica), kPermission (password,
/// certificate, eviction), kUnsupported (version), each saying what to do.
Result<OpenedStore> open_store(StoreParts parts);

/// Whether Gaur may use the queue: a Bull one, or nothing there yet. Blocks. Errors: kPermission with the
/// evidence, and those of the client.
Status check_queue_dialect(OpenedStore& opened, const QueueName& queue);

/// Lets this host be seen by Bull's getWorkers() and by dashboards, as a worker of each configured queue.
/// They look at the names of connections, of which one carries one name: so each queue has a connection of
/// its own, which does nothing else.
void show_worker(OpenedStore& opened, const StoreParts& parts);

/// Whether this error means "the store", for exit codes: 3 then.
bool is_store_error(Errc code);

}  // namespace gaur::app
