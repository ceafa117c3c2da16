#pragma once
// Events: what peers and we publish about a queue, heard live and kept in memory for a while. Bull keeps no
// log of events, so a cursor holds for the life of this store only, and what was published while the
// connection was away is told as a gap. A queue is listened to from the first question for its events on.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class EventFeed {
 public:
  explicit EventFeed(SharedPtr shared);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  /// The first call for a queue answers once the subscription stands, so that nothing is missed after it.
  /// Errors: kDisconnected where it does not stand within 5 s; kInvalidArgument: no cursor of ours.
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit, Duration at_most);

 private:
  class Desk;
  std::shared_ptr<Desk> desk_;  // shared with listeners and timers, which hold it weakly
};

/// The event that a message on a channel of this queue tells; nothing for what is malformed or tells no
/// event.
std::optional<Event> event_of(const Keys& keys, const redis::Message& message);

}  // namespace gaur::bull
