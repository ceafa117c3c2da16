#pragma once
// Collects the status for GET /v1/host and /readyz from the parts. Thread-safety: any thread; it is collected
// on the loop to which ledger and pools are confined.
#include "admission/ledger.hpp"
#include "app/config/config.hpp"
#include "app/host/disk_watch.hpp"
#include "app/host/opened_store.hpp"
#include "app/host/queue_watch.hpp"
#include "app/host/store_watch.hpp"
#include "app/host/unserved_watch.hpp"
#include "gaur/host.hpp"
#include "runner/pools.hpp"
#include "worker/worker.hpp"

namespace gaur::app {

struct StatusParts {
  const Config& config;
  std::string_view role;
  const OpenedStore& opened;
  /// nullptr with an embedded store.
  const QueueWatch* watch = nullptr;
  /// nullptr with an embedded store.
  const StoreWatch* store_watch = nullptr;
  /// this and the next four are nullptr in a producer.
  Loop* loop = nullptr;
  Worker* worker = nullptr;
  Ledger* ledger = nullptr;
  Pools* pools = nullptr;
  UnservedWatch* unserved = nullptr;
  /// Never nullptr once the host has started.
  const DiskWatch* disk = nullptr;
  const Clock& clock;
  Time started{};
  bool stopping = false;
};

/// Everything in `parts` outlives the future.
Future<HostStatus> collect_status(const StatusParts& parts);

}  // namespace gaur::app
