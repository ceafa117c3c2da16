#pragma once
// The state machine of the connection for messages: the channels and patterns that listeners request, and
// which of them the server has confirmed. It connects with the first listener, and after a loss subscribes to
// all again. Thread-safety: confined to one thread.
#include <map>
#include <set>

#include "redis/link.hpp"

namespace gaur::redis {

class ListenMachine {
 public:
  ListenMachine(const ClientOptions& options, Random& random)
      : options_(options), link_(options, random, "messages") {}

  using Event = std::variant<event::Opened, event::Closed, event::Received, event::Written, event::Tick,
                             event::Listen, event::Unlisten, event::Stop>;
  Actions resume(Event event, Instant now);
  const Link& link() const { return link_; }
  /// All subscriptions of all listeners are confirmed.
  bool all_confirmed() const;
  /// Why not; nothing while all_confirmed().
  std::optional<Error> trouble() const;

 private:
  /// A channel or a pattern; a channel and a pattern of one name are different topics.
  struct Topic {
    bool pattern = false;
    std::string name;
    auto operator<=>(const Topic&) const = default;
  };
  struct TopicState {
    std::set<std::uint64_t> listeners;
    bool asked = false, confirmed = false;
  };
  struct ListenerState {
    std::vector<Topic> topics;
    bool reported = false;  // on_state(true) was called
  };

  void on(event::Opened, Instant now, Actions& actions) { link_.opened(now, actions); }
  void on(event::Closed closed, Instant now, Actions& actions) {
    link_.lose(std::move(closed.why), now, actions);
  }
  void on(event::Written, Instant, Actions&) { link_.written(); }
  void on(event::Received received, Instant now, Actions& actions);
  void on(event::Tick, Instant now, Actions& actions);
  void on(event::Listen listen, Instant now, Actions& actions);
  void on(event::Unlisten unlisten, Instant now, Actions& actions);
  void on(event::Stop, Instant now, Actions& actions);

  /// A subscription that the ACL denies: collected until all are answered.
  void note_refusal(const Reply::Failure& failure);
  /// The denied subscriptions, and the ACL rules that would allow them.
  Error refusal() const;
  void after_loss(Actions& actions);
  void flush(Instant now, Actions& actions);
  /// false: not a message of a subscribed connection.
  bool take(const Reply::Array& words, Actions& actions);
  void confirm(const Topic& topic, Actions& actions);
  void deliver(const Topic& topic, const std::string& channel, const std::string& payload, Actions& actions);
  void tell_if_complete(std::uint64_t id, Actions& actions);
  void check_silence(Instant now, Actions& actions);

  const ClientOptions& options_;
  Link link_;
  std::map<Topic, TopicState> topics_;
  std::map<std::uint64_t, ListenerState> listeners_;
  std::vector<Topic> gone_;  // to be unsubscribed from
  struct Awaited {
    Instant sent;
    std::optional<Topic> topic;  // nothing: a PING
  };
  std::deque<Awaited> awaited_;   // requests without a reply, in the order of sending
  std::vector<Topic> refused_;    // of this connection
  std::set<std::string> rules_;   // the missing ACL rules
  std::string refused_why_;       // the text of the server
  std::optional<Error> refusal_;  // of the last connection; reset when all are confirmed
};

}  // namespace gaur::redis
