#pragma once
// The interface of a Redis client: pipelined commands, scripts that are loaded if the server does not know
// them, and subscriptions that survive a lost connection.
//
// Errors of a Future: kDisconnected and kTimeout (the outcome is unknown: repeat only what is safe to
// repeat), kPermission (wrong password, an unverified certificate), kTooLarge (the queue of unsent bytes is
// full), kCorrupt (the server violated the protocol), kStopping. An error reply of Redis is a Reply::Failure,
// not an Error. Thread-safety: every verb from any thread; futures are fulfilled and listeners called on the
// executor given at construction.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "gaur/future.hpp"
#include "redis/reply.hpp"

namespace gaur::redis {

template <class T>
using Answer = Future<Result<T>>;

/// Name and arguments, binary-safe.
using Command = std::vector<std::string>;

/// The text of a Lua script with its SHA-1, computed once. Copies share it, so that a pending request keeps
/// its script after the store is gone.
class Script {
 public:
  Script(std::string name, std::string text);
  /// For errors and metrics.
  const std::string& name() const { return parts_->name; }
  const std::string& text() const { return parts_->text; }
  const std::string& sha1() const { return parts_->sha1; }
  /// Copies of one script are equal.
  bool operator==(const Script&) const = default;

 private:
  struct Parts {
    std::string name, text, sha1;
  };
  std::shared_ptr<const Parts> parts_;
};

struct Message {
  std::string channel, payload;
};

/// Destroying it ends the subscription; no call comes after the destructor returned on the executor's thread.
class Subscription {
 public:
  virtual ~Subscription() = default;
};
struct Listener {
  std::function<void(const Message&)> on_message;
  /// true: every channel is subscribed (again). false: the connection was lost, messages may be missed.
  std::function<void(bool listening)> on_state;
};

/// The state of the connections, for readiness checks and status pages.
struct Health {
  bool connected = false;
  /// How many were established.
  std::uint64_t connections = 0;
  /// Why there is none.
  std::optional<Error> error = {};
  /// Why messages of a subscription do not arrive; nothing if all are confirmed, or there is none.
  std::optional<Error> messages = {};
};

class Client {
 public:
  virtual ~Client() = default;

  virtual Answer<Reply> call(Command command) = 0;
  /// Sends the commands together, in order. Not atomic.
  virtual Answer<std::vector<Reply>> pipeline(std::vector<Command> commands) = 0;
  /// EVALSHA; if the server does not know the script, it is loaded and run again.
  virtual Answer<Reply> run(const Script& script, std::vector<std::string> keys,
                            std::vector<std::string> arguments) = 0;

  /// Channels by name and by pattern, on a connection of their own that all subscriptions share.
  virtual std::unique_ptr<Subscription> subscribe(std::vector<std::string> channels,
                                                  std::vector<std::string> patterns, Listener listener) = 0;

  /// Whether commands can be sent now; for readiness.
  virtual bool connected() const = 0;
  /// Answers after the first attempt to connect, later at once: success, or why there is no connection. The
  /// client keeps trying in either case.
  virtual Answer<Unit> ready() { return gaur::ready<Result<Unit>>(ok()); }
  virtual Health health() const { return {.connected = connected()}; }
  /// The redis-cli command line for the same server and database (cli_command()).
  virtual std::string cli() const { return "redis-cli"; }
};

}  // namespace gaur::redis
