#pragma once
// The events of queues, from the dialect's source through a ring in memory. Events that were missed while the
// source had no connection are reported as a gap. The first call for a queue opens its source.
// Thread-safety: that of Store.
#include "redis_store/store_context.hpp"

namespace gaur::redis_store {

class EventFeed {
 public:
  explicit EventFeed(ContextPtr context);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  /// Answers the first call for a queue once its source listens, so that no later event is missed. Errors:
  /// kDisconnected if that takes more than 5 s; kInvalidArgument: not a cursor of this store.
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit, Duration at_most);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // sources and timers hold it weakly
};

}  // namespace gaur::redis_store
