#pragma once
// Bull's channels as sources of events and wake-ups. Bull keeps no log of events: a message that is published
// while the connection is lost is missed. Thread-safety: any thread.
#include <optional>

#include "base/log.hpp"
#include "redis_store/dialect.hpp"

namespace gaur::bull {

class ChannelEvents final : public redis_store::EventSource {
 public:
  explicit ChannelEvents(Logger log) : log_(std::move(log)) {}
  std::unique_ptr<redis_store::Watch> listen(redis::Client& client, const redis_store::Keys& keys,
                                             Listener listener) override;

 private:
  const Logger log_;
};

class ChannelWakeUps final : public redis_store::WakeUpSource {
 public:
  std::unique_ptr<redis_store::Watch> watch(redis::Client& client, const redis_store::Keys& keys,
                                            Listener listener) override;
};

/// The event in a message on a channel of the queue; nothing if the message is malformed or not an event.
std::optional<Event> event_of(const redis_store::Keys& keys, const redis::Message& message);

}  // namespace gaur::bull
