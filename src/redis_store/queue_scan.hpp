#pragma once
// Finds the queues under a prefix, and the prefixes. Redis has no list of either: SCAN reads all keys, a
// thousand at a time, and a queue is recognized by the counter `id`, the mark `meta-paused`, or BullMQ's
// `meta`. Thread-safety: any thread.
#include <cstdint>
#include <string>
#include <vector>

#include "gaur/future.hpp"
#include "redis/client.hpp"

namespace gaur::redis_store {

struct QueueScanLimits {
  /// SCAN calls of 1 000 keys each.
  std::uint32_t steps = 5'000;
  std::size_t queues = 1'000;
};

struct QueuesFound {
  /// Sorted.
  std::vector<QueueName> queues{};
  /// Names that Gaur cannot use: too long, or not UTF-8. At most 100.
  std::vector<std::string> unusable{};
  /// false: a limit ended the scan.
  bool complete = true;
};

/// Every queue of Bull or BullMQ under `prefix`. Keys of jobs, locks, limiters and deduplication with similar
/// names are recognized by type and content. Names that begin with a colon are left out: they belong to a
/// prefix that ends with one.
Async<QueuesFound> find_queues(redis::Client& client, std::string prefix, QueueScanLimits limits);

struct PrefixesFound {
  struct Prefix {
    std::string prefix{};
    /// Sorted; at most the limit's.
    std::vector<std::string> queues{};
  };
  /// Sorted.
  std::vector<Prefix> prefixes{};
  bool complete = true;
};

/// The prefixes of all queues of this database. The key `a:b:c:id` is ambiguous: it counts for the shortest
/// prefix that has other queues, otherwise for the longest.
Async<PrefixesFound> find_prefixes(redis::Client& client, QueueScanLimits limits);

/// `text` with its glob characters escaped.
std::string escape_glob(std::string_view text);

}  // namespace gaur::redis_store
