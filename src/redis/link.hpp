#pragma once
// The part of a connection that is the same for commands and for messages: connects, sends the greeting
// (AUTH, SELECT, CLIENT SETNAME, PING), detects silence, and reconnects with backoff and jitter.
//
//   kIdle -> kOpening -> kGreeting -> kReady
//              ^  \________ | ________/
//              |            v
//              +------- kWaiting          kStopped: from any state, final
//
// Thread-safety: confined to one thread.
#include <deque>

#include "base/env.hpp"
#include "redis/actions.hpp"
#include "redis/options.hpp"

namespace gaur::redis {

class Link {
 public:
  enum class State : std::uint8_t { kIdle, kOpening, kGreeting, kReady, kWaiting, kStopped };

  /// `purpose` is for the log: "commands", "messages".
  Link(const ClientOptions& options, Random& random, std::string purpose);

  /// From kIdle; elsewhere nothing.
  void start(Instant now, Actions& actions);
  void opened(Instant now, Actions& actions);
  void lose(Error why, Instant now, Actions& actions);
  void tick(Instant now, Actions& actions);
  void stop(Actions& actions);
  void written() { writing_ = false; }
  void feed(std::string_view bytes, Instant now);
  /// The next reply that does not belong to the greeting. Nothing if there is none, or the link was lost.
  std::optional<Incoming> next(Instant now, Actions& actions);

  /// Whether send() may be called now.
  bool can_send() const { return state_ == State::kReady && !writing_; }
  void send(std::string bytes, Actions& actions);
  /// A PING is due: nothing was received for `keepalive`.
  bool ping_due(Instant now) const;
  void pinged(Instant now) { pinged_ = now; }
  /// The server executes commands: the next loss begins with the shortest backoff again.
  void proven() { failures_ = 0; }

  State state() const { return state_; }
  bool ready() const { return state_ == State::kReady; }
  Instant heard() const { return heard_; }
  /// Why there is no connection; nothing while there is one, or before the first attempt.
  const std::optional<Error>& error() const { return error_; }
  /// The last attempt failed for a reason that a retry does not fix (password, certificate, database).
  bool refused() const { return refused_; }
  bool tried() const { return ready() || error_.has_value(); }
  std::uint64_t connections() const { return connections_; }
  /// When tick() must be called.
  std::optional<Instant> wake() const;

 private:
  enum class Greeting : std::uint8_t { kHello, kAuth, kName, kSelect, kPing };
  void open(Instant now, Actions& actions);
  std::string greet();
  void greeted(const Reply& reply, Instant now, Actions& actions);
  void become_ready(Instant now, Actions& actions);
  std::optional<Error> check_greeting(Greeting step, const Reply::Failure& failure, Actions& actions);
  void note_loss(const Error& why, Instant now, Actions& actions);

  const ClientOptions& options_;
  Random& random_;
  const std::string purpose_;
  State state_ = State::kIdle;
  Parser parser_;
  std::deque<Greeting> greeting_;  // steps whose replies have not arrived
  bool writing_ = false;
  bool refused_ = false;
  std::uint32_t failures_ = 0;  // in a row
  std::uint64_t connections_ = 0;
  Instant due_{};  // end of the attempt, or of the wait before the next
  Instant heard_{}, pinged_{}, lost_{};
  std::optional<Error> error_;
  std::string noted_;  // the problem that was logged: once, not at every attempt
};

}  // namespace gaur::redis
