#pragma once
// Events and actions of a connection's state machine (link.hpp and the machines built on it). The machines
// own no socket, no thread and no clock: `resume(event, now)` returns Actions, which client.cpp carries out.
// Thread-safety: values.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "gaur/future.hpp"
#include "redis/client.hpp"

namespace gaur::redis {

/// One command, or several that are sent together, without a complete reply.
struct Request {
  using One = Promise<Result<Reply>>;
  using Many = Promise<Result<std::vector<Reply>>>;

  /// Monostate: our own PING.
  std::variant<std::monostate, One, Many> to = {};
  /// Encoded; of a script: from its number of keys on.
  std::string bytes = {};
  /// How many replies it gets.
  std::size_t replies = 1;
  /// Sent as EVALSHA, or as EVAL if the server does not know it.
  std::optional<Script> script = {};
  /// Number of arguments in `bytes`.
  std::size_t script_arguments = 0;
  Instant deadline{};

  // kept by the machine
  /// Of several, so far.
  std::vector<Reply> answers = {};
  Instant sent = {};
  /// Number of NOSCRIPT replies.
  std::uint8_t refusals = 0;
  /// Sent as EVAL.
  bool as_text = false;
  /// Its deadline passed; the reply has not arrived yet.
  bool given_up = false;
  /// Its share of max_queued_bytes.
  std::size_t size() const { return bytes.size(); }
};

/// A request with its answer; deliver() completes its promise, once.
struct Finished {
  decltype(Request::to) to;
  /// Of One; of Many only an error.
  Result<Reply> answer;
  /// Of Many.
  std::vector<Reply> answers = {};
  void deliver();
};

namespace event {
/// Once, before all other events.
struct Start {};
/// The requested connection is established, with TLS.
struct Opened {};
/// The connection failed or was lost.
struct Closed {
  Error why;
};
struct Received {
  std::string_view bytes;
};
/// The bytes of the last `send` were written.
struct Written {};
/// The time of Actions::wake was reached.
struct Tick {};
struct Submit {
  std::vector<Request> requests;
};
struct Listen {
  std::uint64_t id = 0;
  std::vector<std::string> channels, patterns;
};
struct Unlisten {
  std::uint64_t id = 0;
};
/// Final.
struct Stop {};
}  // namespace event

struct Note {
  LogLevel level = LogLevel::kInfo;
  std::string text;
  std::string error = {};
};

/// In the order of execution.
struct Actions {
  /// Closes the connection, which then produces no more events.
  bool close = false;
  /// Opens a connection; Opened or Closed follows.
  bool open = false;
  /// Bytes to write; Written follows. Empty while a write is under way.
  std::string send = {};
  std::vector<Finished> finished = {};
  /// For the listener of that number.
  std::vector<std::pair<std::uint64_t, Message>> messages = {};
  std::vector<std::pair<std::uint64_t, bool>> listening = {};
  std::vector<Note> notes = {};
  /// The time of the next Tick; replaces an earlier one.
  std::optional<Instant> wake = {};
};

}  // namespace gaur::redis
