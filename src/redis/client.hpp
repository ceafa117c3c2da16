#pragma once
// A Redis server as its users see it: pipelined commands, scripts that are loaded when the server does not
// know them, and subscriptions that outlive a lost connection.
//
// Errors of a Future: kDisconnected and kTimeout (the outcome is unknown: send again only what is safe to
// repeat), kPermission (wrong password, a certificate that does not verify), kTooLarge (more than the bound
// waits to be sent), kCorrupt (the server broke the protocol), kStopping. What Redis itself refuses is no
// error here but a Reply::Failure. Thread-safety: every verb from any thread; futures are fulfilled and
// listeners called on the executor given at construction.
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

using Command = std::vector<std::string>;  ///< name and arguments, binary-safe

/// Text of a Lua script with its SHA-1, computed once. Copies share it, so a request on its way keeps its
/// script although the store that made it is gone.
class Script {
 public:
  Script(std::string name, std::string text);
  const std::string& name() const { return parts_->name; }  ///< for errors and metrics
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

/// How things stand, for readiness and for people.
struct Health {
  bool connected = false;
  std::uint64_t connections = 0;    ///< how often one was made
  std::optional<Error> error = {};  ///< why there is none
  /// Why messages of some subscription do not arrive; nothing while each stands, or none is wanted.
  std::optional<Error> messages = {};
};

class Client {
 public:
  virtual ~Client() = default;

  virtual Answer<Reply> call(Command command) = 0;
  /// Sent together, in this order, answered together; not atomic.
  virtual Answer<std::vector<Reply>> pipeline(std::vector<Command> commands) = 0;
  /// EVALSHA; where the server does not know the script it is loaded and run once more.
  virtual Answer<Reply> run(const Script& script, std::vector<std::string> keys,
                            std::vector<std::string> arguments) = 0;

  /// Channels by name and by pattern, on a connection of their own that all subscriptions share.
  virtual std::unique_ptr<Subscription> subscribe(std::vector<std::string> channels,
                                                  std::vector<std::string> patterns, Listener listener) = 0;

  /// Whether commands can be sent now; for readiness.
  virtual bool connected() const = 0;
  /// Answers when the first attempt to connect has ended, and later at once: success, or why there is no
  /// connection. The client goes on trying in either case.
  virtual Answer<Unit> ready() { return gaur::ready<Result<Unit>>(ok()); }
  virtual Health health() const { return {.connected = connected()}; }
  /// The command line that speaks to the same server and database, for advice (cli_command()).
  virtual std::string cli() const { return "redis-cli"; }
};

}  // namespace gaur::redis
