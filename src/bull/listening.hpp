#pragma once
// Events: what peers publish, live.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class Listening {
 public:
  explicit Listening(SharedPtr shared) : shared_(std::move(shared)) {}

  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit, Duration at_most);

 private:
  SharedPtr shared_;
};

}  // namespace gaur::bull
