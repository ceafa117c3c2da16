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
  std::vector<bull::SetAside> set_aside{};
  /// The newest completed and failed jobs.
  std::vector<KeptJob> kept{};
  /// The next waiting jobs, and the delayed jobs that are due first.
  std::vector<KeptJob> waiting{};
};

/// A queue that cannot be read: the user lacks the permission, or its keys have other types.
struct RefusedFacts {
  QueueName queue{};
  Error error;
};

struct LookFacts {
  /// Without a password.
  std::string url;
  std::string prefix;
  bull::ServerFacts server{};
  /// false: the search for queues reached its limit.
  bool every_queue = true;
  std::vector<QueueFacts> queues{};
  std::vector<RefusedFacts> refused{};
  /// Gaur's hosts on this database and prefix; empty if CLIENT LIST is not permitted.
  std::vector<ConnectedHost> hosts{};
  /// Names of queues that Gaur cannot use.
  std::vector<std::string> unusable{};
  /// Searched only if the prefix has no queue.
  std::optional<bull::PrefixesFound> prefixes{};
};

}  // namespace gaur::app
