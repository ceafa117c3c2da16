#pragma once
// How Bull and BullMQ name the connections of a queue's workers, and the workers in CLIENT LIST.
// Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/names.hpp"

namespace gaur::redis_store {

/// A connection with the name of a worker of the queue (workers that call getNextJob() set no name).
struct WorkerSeen {
  std::string address{}, command{};
  std::uint64_t age_seconds = 0, idle_seconds = 0;
};

/// The connection name of a queue's workers; getWorkers() and dashboards find them by it.
std::string worker_connection_name(std::string_view prefix, const QueueName& queue);

/// The lines of `clients`, CLIENT LIST's reply, whose connection has this name.
std::vector<WorkerSeen> workers_of(std::string_view clients, std::string_view name);

}  // namespace gaur::redis_store
