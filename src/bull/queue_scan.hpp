#pragma once
// Which queues there are under a prefix. Redis has no list of them: the keyspace is walked with SCAN, a
// thousand keys a step, and the keys that every queue has are recognised. Thread-safety: any thread.
#include <cstdint>
#include <string>
#include <vector>

#include "gaur/future.hpp"
#include "redis/client.hpp"

namespace gaur::bull {

struct QueueScanLimits {
  std::uint32_t steps = 5'000;  ///< SCAN calls of 1 000 keys each
  std::size_t queues = 1'000;
};

struct QueuesFound {
  std::vector<QueueName> queues{};  ///< sorted
  bool complete = true;             ///< false: a limit ended the walk
};

/// Names with a colon or another character that our queue names do not have are left out: such a key is more
/// likely another prefix's.
Async<QueuesFound> find_queues(redis::Client& client, std::string prefix, QueueScanLimits limits);

/// `text` with the characters escaped that mean something in a pattern.
std::string escape_glob(std::string_view text);

}  // namespace gaur::bull
