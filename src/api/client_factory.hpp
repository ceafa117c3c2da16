#pragma once
// Creates a Client. Included only by the app and tests; all other code uses gaur/client.hpp.
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "api/metrics.hpp"
#include "base/env.hpp"
#include "core/store.hpp"
#include "gaur/client.hpp"

namespace gaur {

struct ClientOptions {
  /// Of the queues with a bound of their own.
  std::map<QueueName, std::uint64_t> max_waiting;
  /// Of all others; 0: unbounded.
  std::uint64_t default_max_waiting = 0;
  Limits limits;
  /// nullptr: none.
  std::shared_ptr<const FunctionCatalog> functions;
  /// The queues of a store that only this host works on: an add to another queue, or for a function that is
  /// not in `functions`, is rejected with kNotFound, since nothing would ever run it. Other verbs on a queue
  /// also accept one that is in the store. Nothing: every name is accepted.
  std::optional<std::set<QueueName>> own_queues;
  /// Queues with metric series of their own; all others share one, "other". Nothing: every queue has its own.
  std::optional<std::set<QueueName>> configured_queues;
  /// Queues outside configured_queues that this client may add jobs to or pause; a further one is rejected
  /// with kPermission. Nothing: any number.
  std::optional<std::size_t> max_other_queues;
  /// wait_finished calls under way.
  std::size_t max_waits = 10'000;
  /// Idempotency keys kept in memory, to detect other jobs with the same key.
  std::size_t known_keys = 100'000;
};

/// `store` (usually make_measured_store's), `env` and `metrics` must outlive the client. Timers run on
/// env.loop.
std::unique_ptr<Client> make_client(Store& store, Env env, Metrics& metrics, ClientOptions options = {});

}  // namespace gaur
