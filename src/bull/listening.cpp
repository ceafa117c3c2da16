#include "bull/listening.hpp"

namespace gaur::bull {

Async<EventPage> Listening::events(QueueName /*queue*/, std::string /*cursor*/, std::uint32_t /*limit*/,
                                   Duration /*at_most*/) {
  return shared_->not_built_yet<EventPage>("events");
}

}  // namespace gaur::bull
