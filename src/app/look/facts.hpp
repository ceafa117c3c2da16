#pragma once
// What `gaur look` saw, before anything is concluded from it. Thread-safety: values.
#include <string>
#include <vector>

#include "app/look/statistics.hpp"
#include "bull/inspect.hpp"

namespace gaur::app {

struct QueueFacts {
  bull::QueueLook look{};
  std::vector<KeptJob> kept{};     ///< the newest completed and failed
  std::vector<KeptJob> waiting{};  ///< the next to be handed out, and the delayed that are due first
};

struct LookFacts {
  std::string url;  ///< without a password
  std::string prefix;
  bull::ServerFacts server{};
  bool every_queue = true;  ///< false: the search for queues was cut off by a limit
  std::vector<QueueFacts> queues{};
};

}  // namespace gaur::app
