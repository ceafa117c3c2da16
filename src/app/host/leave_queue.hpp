#pragma once
// Hands a queue over to other workers: requeues the host's jobs, reports or promotes delayed jobs that only
// Gaur wakes, and verifies the result. Works through the store, while no host uses the worker's name.
#include <string>
#include <vector>

#include "app/host/opened_store.hpp"

namespace gaur::app {

/// What to do with delayed jobs, which plain Bull workers never wake.
enum class Delayed : std::uint8_t {
  /// Report them as unsafe.
  kList,
  /// Make them wait now, before their time.
  kPromote,
  /// Report them; `gaur work --sweep-only` or a worker with process() wakes them.
  kKeep,
};

struct LeaveNote {
  /// Other workers must not be started yet.
  bool unsafe = false;
  std::string line;
};

/// Recovers and verifies one queue; returns one note a finding. `session`: the session of the host's worker.
/// Blocks. Errors: those of the store.
Result<std::vector<LeaveNote>> leave_queue(OpenedStore& opened, const QueueName& queue,
                                           const SessionName& session, Delayed delayed);

}  // namespace gaur::app
