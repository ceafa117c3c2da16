#pragma once
// The state machine of the connection for messages: which channels and patterns are wanted, by how many
// listeners, and which of them the server has confirmed. It connects with the first listener; after a loss it
// subscribes to everything again. Thread-safety: confined to one thread.
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
  /// Every listener hears all that it asked for (also where there is none).
  bool hears_all() const;
  /// Why not; nothing while hears_all().
  std::optional<Error> trouble() const;

 private:
  /// A channel or a pattern; the two have names of their own.
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
    bool told = false;  // that it listens
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

  /// A subscription that the user may not have: gathered until all are answered.
  void note_refusal(const Reply::Failure& failure);
  /// The subscriptions that the user may not have, and the rules that would allow them.
  Error refusal() const;
  void after_loss(Actions& actions);
  void flush(Instant now, Actions& actions);
  /// false: not what a subscribed connection may say.
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
  std::deque<Awaited> awaited_;   // what is not yet answered, in the order in which it was sent
  std::vector<Topic> refused_;    // of this connection
  std::set<std::string> rules_;   // that the user lacks for them
  std::string refused_why_;       // as the server put it
  std::optional<Error> refusal_;  // of the last connection; gone when all stand
};

}  // namespace gaur::redis
