#pragma once
// The state machine of the connection for commands. Sends requests in order, all waiting ones at once;
// replies are matched by order alone. When the connection is lost, requests that were written fail with
// kDisconnected and are never sent again; requests that were not written wait for the next connection.
//
// READONLY, LOADING, MASTERDOWN and CLUSTERDOWN: this server cannot serve now. The request fails with
// kDisconnected, and after the pending replies the connection is reopened. NOSCRIPT: the script is sent as
// text, which loads it, before all waiting requests. Thread-safety: confined to one thread.
#include <deque>

#include "redis/link.hpp"

namespace gaur::redis {

class CommandMachine {
 public:
  CommandMachine(const ClientOptions& options, Random& random)
      : options_(options), link_(options, random, "commands") {}

  using Event = std::variant<event::Start, event::Opened, event::Closed, event::Received, event::Written,
                             event::Tick, event::Submit, event::Stop>;
  Actions resume(Event event, Instant now);

  bool ready() const { return link_.ready() && !draining_; }
  const Link& link() const { return link_; }
  std::size_t unsent_bytes() const { return unsent_bytes_; }
  std::size_t pending() const { return unsent_.size() + in_flight_.size(); }

 private:
  void on(event::Start, Instant now, Actions& actions) { link_.start(now, actions); }
  void on(event::Opened, Instant now, Actions& actions) { link_.opened(now, actions); }
  void on(event::Closed closed, Instant now, Actions& actions) {
    link_.lose(std::move(closed.why), now, actions);
  }
  void on(event::Written, Instant, Actions&) { link_.written(); }
  void on(event::Received received, Instant now, Actions& actions);
  void on(event::Tick, Instant now, Actions& actions);
  void on(event::Submit submit, Instant now, Actions& actions);
  void on(event::Stop, Instant now, Actions& actions);

  void after_loss(Actions& actions);
  void flush(Instant now, Actions& actions);
  void answer(Reply reply, Actions& actions);
  void pop_answered();
  void retry_script(Request request);
  void requeue_scripts();
  void expire(Instant now, Actions& actions);
  void check_silence(Instant now, Actions& actions);
  Error overdue(bool sent) const;
  std::optional<Instant> wake() const;

  const ClientOptions& options_;
  Link link_;
  std::deque<Request> unsent_, in_flight_;
  std::vector<Request> again_;  // to be sent as text, before all others
  std::size_t unsent_bytes_ = 0;
  std::size_t expired_ = 0;  // so many of the oldest in flight passed their deadline
  bool draining_ = false;    // the server cannot serve: waits for pending replies, sends nothing
  Error drain_why_;
};

}  // namespace gaur::redis
