#pragma once
// What `gaur look` saw, before anything is concluded from it. Thread-safety: values.
#include <optional>
#include <string>
#include <vector>

#include "app/look/hosts_seen.hpp"
#include "app/look/statistics.hpp"
#include "bull/inspect.hpp"

namespace gaur::app {

struct QueueFacts {
  bull::QueueLook look{};
  std::vector<KeptJob> kept{};     ///< the newest completed and failed
  std::vector<KeptJob> waiting{};  ///< the next to be handed out, and the delayed that are due first
};

/// One that cannot be read: its user may not, or its keys have other types.
struct RefusedFacts {
  QueueName queue{};
  Error error;
};

struct LookFacts {
  std::string url;  ///< without a password
  std::string prefix;
  bull::ServerFacts server{};
  bool every_queue = true;  ///< false: the search for queues was cut off by a limit
  std::vector<QueueFacts> queues{};
  std::vector<RefusedFacts> refused{};
  std::vector<SeenHost> hosts{};  ///< of Gaur, on this database and prefix; none where clients cannot be seen
  std::vector<std::string> unusable{};            ///< names of queues that Gaur cannot use
  std::optional<bull::PrefixesFound> prefixes{};  ///< looked for where the prefix has no queue
};

}  // namespace gaur::app
