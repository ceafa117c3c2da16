#include "bull/pub_sub.hpp"

#include "base/json_text.hpp"
#include "redis_store/queue_scan.hpp"
#include "redis_store/replies.hpp"

namespace gaur::bull {

namespace {

/// The job's id, and the raw JSON of one member, of a payload of completed, failed or progress.
std::optional<std::pair<JobId, std::string>> parts_of(std::string_view payload, std::string_view member) {
  const auto members = json::members(payload);
  if (!members) return std::nullopt;
  std::optional<JobId> id;
  std::string value;
  for (const json::Member& one : *members) {
    if (one.key == "jobId") id = JobId(json::unquote(one.value).value_or(std::string(one.value)));
    if (one.key == member) value = one.value;
  }
  if (!id || id->empty()) return std::nullopt;
  return std::pair{*id, std::move(value)};
}

std::optional<Event> event_of_end(EventKind kind, std::string_view payload) {
  const auto parts = parts_of(payload, "val");
  if (!parts) return std::nullopt;
  // `val` is a text: the JSON of a result, the message of a failure. It is missing for an undefined result.
  std::string detail = json::unquote(parts->second).value_or(parts->second);
  if (kind == EventKind::kCompleted) {
    detail = detail.empty() ? "null" : json::Fragment::read_or_quote(detail).take();
  }
  return Event{.kind = kind, .id = parts->first, .detail = std::move(detail)};
}

std::optional<Event> event_of_progress(std::string_view payload) {
  if (auto parts = parts_of(payload, "progress"))
    return Event{.kind = EventKind::kProgress, .id = parts->first, .detail = std::move(parts->second)};
  const auto comma = payload.find(',');  // the form of older versions: id,JSON
  if (payload.starts_with('{') || comma == 0 || comma == std::string_view::npos) return std::nullopt;
  const std::string_view value = payload.substr(comma + 1);
  auto progress = json::Fragment::read(value);
  if (!progress) return std::nullopt;
  return Event{.kind = EventKind::kProgress,
               .id = JobId(std::string(payload.substr(0, comma))),
               .detail = std::move(*progress).take()};
}

std::optional<Event> event_of_job(EventKind kind, const std::string& id) {
  if (id.empty()) return std::nullopt;
  return Event{.kind = kind, .id = JobId(id)};
}

}  // namespace

std::optional<Event> event_of(const redis_store::Keys& keys, const redis::Message& message) {
  if (message.channel == keys.own() + "cancel")
    return event_of_job(EventKind::kCancelRequested, message.payload);
  if (!message.channel.starts_with(keys.base())) return std::nullopt;
  const std::string_view rest = std::string_view(message.channel).substr(keys.base().size());
  const std::string_view name = rest.substr(0, rest.find('@'));  // what follows is the publisher's token
  if (name == "waiting") return event_of_job(EventKind::kWaiting, message.payload);
  if (name == "active") return event_of_job(EventKind::kActive, message.payload);
  if (name == "stalled") return event_of_job(EventKind::kStalled, message.payload);
  if (name == "duplicated" || name == "debounced")
    return event_of_job(EventKind::kDuplicated, message.payload);
  if (name == "completed") return event_of_end(EventKind::kCompleted, message.payload);
  if (name == "failed") return event_of_end(EventKind::kFailed, message.payload);
  if (name == "progress") return event_of_progress(message.payload);
  if (name == "delayed")
    return Event{.kind = EventKind::kDelayed,
                 .detail = std::to_string(redis_store::whole_number(message.payload))};
  if (name == "drained") return Event{.kind = EventKind::kDrained};
  if (name == "paused") return Event{.kind = EventKind::kPaused};
  if (name == "resumed") return Event{.kind = EventKind::kResumed};
  return std::nullopt;
}

std::unique_ptr<redis_store::Watch> ChannelEvents::listen(redis::Client& client,
                                                          const redis_store::Keys& keys, Listener listener) {
  std::vector<std::string> channels{keys.own() + "cancel"};
  for (const char* channel : {"completed", "failed", "progress", "delayed", "drained", "paused", "resumed"})
    channels.push_back(keys.at(channel));
  std::vector<std::string> patterns;
  for (const char* pattern : {"waiting@*", "active@*", "stalled@*", "duplicated@*", "debounced@*"})
    patterns.push_back(redis_store::escape_glob(keys.base()) + pattern);
  redis::Listener messages;
  messages.on_state = std::move(listener.on_state);
  messages.on_message = [keys, log = log_,
                         on_event = std::move(listener.on_event)](const redis::Message& message) {
    if (auto event = event_of(keys, message)) return on_event(*std::move(event));
    log.debug("message ignored: not an event", {{"channel", message.channel}});
  };
  return client.subscribe(std::move(channels), std::move(patterns), std::move(messages));
}

std::unique_ptr<redis_store::Watch> ChannelWakeUps::watch(redis::Client& client,
                                                          const redis_store::Keys& keys, Listener listener) {
  const std::string cancel = keys.own() + "cancel";
  const std::string waiting = keys.base() + "waiting@";
  redis::Listener messages;
  messages.on_state = std::move(listener.on_state);
  messages.on_message = [cancel, waiting, on_work = std::move(listener.on_work),
                         on_arrival = std::move(listener.on_arrival),
                         on_cancel = std::move(listener.on_cancel)](const redis::Message& message) {
    if (message.channel == cancel) return on_cancel();
    if (message.channel.starts_with(waiting)) return on_arrival(JobId(message.payload));
    on_work();
  };
  return client.subscribe({keys.at("delayed"), keys.at("resumed"), keys.own() + "work", cancel},
                          {redis_store::escape_glob(keys.base()) + "waiting@*"}, std::move(messages));
}

}  // namespace gaur::bull
