#include "redis/listen_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "redis/encoder.hpp"

namespace gaur::redis {

Actions ListenMachine::resume(Event event, Instant now) {
  Actions actions;
  std::visit([&](auto& each) { on(std::move(each), now, actions); }, event);
  if (link_.state() == Link::State::kWaiting || link_.state() == Link::State::kStopped) after_loss(actions);
  flush(now, actions);
  actions.wake = link_.wake();
  if (link_.ready() && !awaited_.empty()) {
    const Instant silent = std::max(link_.heard(), awaited_.front().sent) + options_.silence_timeout;
    if (!actions.wake || silent < *actions.wake) actions.wake = silent;
  }
  return actions;
}

void ListenMachine::after_loss(Actions& actions) {
  for (auto& [topic, state] : topics_) state.asked = state.confirmed = false;
  gone_.clear();
  awaited_.clear();
  refused_.clear();
  rules_.clear();
  for (auto& [id, listener] : listeners_) {
    if (std::exchange(listener.reported, false)) actions.listening.emplace_back(id, false);
  }
}

void ListenMachine::on(event::Listen listen, Instant now, Actions& actions) {
  auto& state = listeners_[listen.id];
  const auto add = [&](std::vector<std::string>& names, bool pattern) {
    for (auto& name : names) {
      Topic topic{pattern, std::move(name)};
      topics_[topic].listeners.insert(listen.id);
      state.topics.push_back(std::move(topic));
    }
  };
  add(listen.channels, false);
  add(listen.patterns, true);
  link_.start(now, actions);
  if (link_.ready()) tell_if_complete(listen.id, actions);
}

void ListenMachine::on(event::Unlisten unlisten, Instant, Actions&) {
  const auto found = listeners_.find(unlisten.id);
  if (found == listeners_.end()) return;
  for (const auto& topic : found->second.topics) {
    const auto at = topics_.find(topic);
    if (at == topics_.end()) continue;  // named twice by one listener
    at->second.listeners.erase(unlisten.id);
    if (!at->second.listeners.empty()) continue;
    if (at->second.asked) gone_.push_back(topic);
    topics_.erase(at);
  }
  listeners_.erase(found);
}

bool ListenMachine::all_confirmed() const {
  return std::all_of(listeners_.begin(), listeners_.end(),
                     [](const auto& entry) { return entry.second.reported; });
}

std::optional<Error> ListenMachine::trouble() const {
  if (all_confirmed()) return std::nullopt;
  if (refusal_) return refusal_;
  if (link_.error()) return link_.error();
  return Error{Errc::kDisconnected, "the subscriptions are not confirmed yet"};
}

void ListenMachine::note_refusal(const Reply::Failure& failure) {
  if (awaited_.empty()) return;
  const std::optional<Topic> topic = std::move(awaited_.front().topic);
  awaited_.pop_front();
  if (!topic) return;  // of a PING, which is optional
  // The message contains the name of a denied command in quotes: 'psubscribe'.
  const bool command = failure.text.find("subscribe'") != std::string::npos;
  rules_.insert(command ? (topic->pattern ? "+psubscribe" : "+subscribe") : "&" + topic->name);
  refused_.push_back(*topic);
  refused_why_ = failure.text;
}

Error ListenMachine::refusal() const {
  const Topic& first = refused_.front();
  const std::string more = refused_.size() == 1 ? "" : fmt::format(" and {} more", refused_.size() - 1);
  std::string rules;
  bool literally = false;
  for (const std::string& rule : rules_) {
    rules += " " + rule;
    literally = literally || rule.find('*') != std::string::npos;
  }
  return {Errc::kPermission,
          fmt::format("{} refuses {} {}{}: {}; add{} to the user's ACL{}", to_text(options_.endpoint),
                      first.pattern ? "PSUBSCRIBE" : "SUBSCRIBE", first.name, more, refused_why_, rules,
                      literally ? " literally (a wider pattern does not cover them), or allchannels" : "")};
}

void ListenMachine::on(event::Stop, Instant, Actions& actions) {
  link_.stop(actions);
}

void ListenMachine::flush(Instant now, Actions& actions) {
  if (!link_.can_send()) return;
  std::string out;
  const auto command = [&](const char* verb, const Topic& topic) {
    append_header(out, 2);
    append_argument(out, verb);
    append_argument(out, topic.name);
    awaited_.push_back({now, topic});
  };
  for (const auto& topic : gone_) command(topic.pattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE", topic);
  gone_.clear();
  for (auto& [topic, state] : topics_) {
    if (std::exchange(state.asked, true)) continue;
    command(topic.pattern ? "PSUBSCRIBE" : "SUBSCRIBE", topic);
  }
  if (link_.ping_due(now)) {
    link_.pinged(now);
    append_header(out, 1);
    append_argument(out, "PING");
    awaited_.push_back({now, std::nullopt});
  }
  if (!out.empty()) link_.send(std::move(out), actions);
}

void ListenMachine::on(event::Received received, Instant now, Actions& actions) {
  link_.feed(received.bytes, now);
  while (auto incoming = link_.next(now, actions)) {
    const Reply& reply = incoming->reply;
    if (const auto* failure = reply.failure()) {  // NOPERM on a channel, or LOADING
      if (failure->code() != "NOPERM") {
        const std::string what = fmt::format("{}: {}", to_text(options_.endpoint), failure->text);
        return link_.lose({Errc::kDisconnected, what}, now, actions);
      }
      note_refusal(*failure);
      continue;
    }
    if (reply.text() != nullptr && *reply.text() == "PONG") {
      if (!awaited_.empty()) awaited_.pop_front();
      continue;
    }
    if (reply.array() == nullptr || !take(*reply.array(), actions)) {
      return link_.lose({Errc::kCorrupt, "the server sent a reply that is not a message to a subscriber"},
                        now, actions);
    }
    link_.proven();
  }
  if (refused_.empty() || !awaited_.empty()) return;
  refusal_ = refusal();
  link_.lose(*refusal_, now, actions);
}

bool ListenMachine::take(const Reply::Array& words, Actions& actions) {
  if (words.empty() || words[0].text() == nullptr) return false;
  const std::string& kind = *words[0].text();
  const auto text = [&](std::size_t at) { return at < words.size() ? words[at].text() : nullptr; };
  if (kind == "message" && words.size() == 3 && text(1) != nullptr && text(2) != nullptr) {
    deliver({false, *text(1)}, *text(1), *text(2), actions);
    return true;
  }
  if (kind == "pmessage" && words.size() == 4 && text(1) != nullptr && text(2) != nullptr &&
      text(3) != nullptr) {
    deliver({true, *text(1)}, *text(2), *text(3), actions);
    return true;
  }
  const bool subscribed = kind == "subscribe" || kind == "psubscribe";
  if (subscribed || kind == "unsubscribe" || kind == "punsubscribe" || kind == "pong") {
    if (!awaited_.empty()) awaited_.pop_front();
    if (subscribed && text(1) != nullptr) confirm({kind == "psubscribe", *text(1)}, actions);
    return true;
  }
  return kind == "invalidate";  // a RESP3 push that the server may send unrequested
}

void ListenMachine::confirm(const Topic& topic, Actions& actions) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;  // no longer wanted
  found->second.confirmed = true;
  for (const auto id : found->second.listeners) tell_if_complete(id, actions);
}

void ListenMachine::tell_if_complete(std::uint64_t id, Actions& actions) {
  auto& listener = listeners_.at(id);
  if (listener.reported) return;
  for (const auto& topic : listener.topics) {
    if (!topics_.at(topic).confirmed) return;
  }
  listener.reported = true;
  if (all_confirmed()) refusal_.reset();
  actions.listening.emplace_back(id, true);
}

void ListenMachine::deliver(const Topic& topic, const std::string& channel, const std::string& payload,
                            Actions& actions) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  for (const auto id : found->second.listeners) actions.messages.push_back({id, {channel, payload}});
}

void ListenMachine::on(event::Tick, Instant now, Actions& actions) {
  link_.tick(now, actions);
  check_silence(now, actions);
}

void ListenMachine::check_silence(Instant now, Actions& actions) {
  if (!link_.ready() || awaited_.empty()) return;
  if (now < std::max(link_.heard(), awaited_.front().sent) + options_.silence_timeout) return;
  link_.lose({Errc::kDisconnected, fmt::format("{} said nothing for {} ms", to_text(options_.endpoint),
                                               options_.silence_timeout.count())},
             now, actions);
}

}  // namespace gaur::redis
