#pragma once
// Which queues there are under a prefix, and which prefixes. Redis has no list of either: the keyspace is
// walked with SCAN, a thousand keys a step, and the keys that every queue has are recognised: the counter
// `id`, the mark `meta-paused`, and BullMQ's `meta`. Thread-safety: any thread.
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
  /// Under such names are queues that Gaur cannot use: too long, or not UTF-8. At most 100.
  std::vector<std::string> unusable{};
  bool complete = true;  ///< false: a limit ended the walk
};

/// Every queue of Bull or BullMQ under `prefix`. Keys of jobs, locks, limiters and debouncing that only look
/// like a queue's are recognized by type and content. Names that begin with a colon are left out: they are
/// those of a prefix that ends with one.
Async<QueuesFound> find_queues(redis::Client& client, std::string prefix, QueueScanLimits limits);

struct PrefixesFound {
  struct Prefix {
    std::string prefix{};
    std::vector<std::string> queues{};  ///< sorted; at most the limit's
  };
  std::vector<Prefix> prefixes{};  ///< sorted
  bool complete = true;
};

/// The prefixes of all queues of this database. Of a key `a:b:c:id` prefix and queue cannot be told apart for
/// certain: it counts for the shortest prefix under which other queues are, else for the longest.
Async<PrefixesFound> find_prefixes(redis::Client& client, QueueScanLimits limits);

/// `text` with the characters escaped that mean something in a pattern.
std::string escape_glob(std::string_view text);

}  // namespace gaur::bull
