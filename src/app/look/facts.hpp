#pragma once
// The facts that `gaur look` reads, without conclusions. Thread-safety: values.
#include <optional>
#include <string>
#include <vector>

#include "app/look/connected_hosts.hpp"
#include "app/look/statistics.hpp"
#include "bull/inspect.hpp"

namespace gaur::app {

struct QueueFacts {
  bull::QueueLook look{};
  std::vector<KeptJob> kept{};     ///< the newest completed and failed jobs
  std::vector<KeptJob> waiting{};  ///< the next waiting jobs, and the delayed jobs that are due first
};

/// A queue that cannot be read: the user lacks the permission, or its keys have other types.
struct RefusedFacts {
  QueueName queue{};
  Error error;
};

struct LookFacts {
  std::string url;  ///< without a password
  std::string prefix;
  bull::ServerFacts server{};
  bool every_queue = true;  ///< false: the search for queues reached its limit
  std::vector<QueueFacts> queues{};
  std::vector<RefusedFacts> refused{};
  /// Gaur's hosts on this database and prefix; empty if CLIENT LIST is not permitted.
  std::vector<ConnectedHost> hosts{};
  std::vector<std::string> unusable{};            ///< names of queues that Gaur cannot use
  std::optional<bull::PrefixesFound> prefixes{};  ///< searched only if the prefix has no queue
};

}  // namespace gaur::app
