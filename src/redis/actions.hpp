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

  std::variant<std::monostate, One, Many> to = {};  ///< monostate: our own PING
  std::string bytes = {};                           ///< encoded; of a script: from its number of keys on
  std::size_t replies = 1;                          ///< how many replies it gets
  std::optional<Script> script = {};  ///< sent as EVALSHA, or as EVAL if the server does not know it
  std::size_t script_arguments = 0;   ///< number of arguments in `bytes`
  Instant deadline{};

  // kept by the machine
  std::vector<Reply> answers = {};  ///< of several, so far
  Instant sent = {};
  std::uint8_t refusals = 0;  ///< number of NOSCRIPT replies
  bool as_text = false;       ///< sent as EVAL
  bool given_up = false;      ///< its deadline passed; the reply has not arrived yet
  /// Its share of max_queued_bytes.
  std::size_t size() const { return bytes.size(); }
};

/// A request with its answer; deliver() completes its promise, once.
struct Finished {
  decltype(Request::to) to;
  Result<Reply> answer;             ///< of One; of Many only an error
  std::vector<Reply> answers = {};  ///< of Many
  void deliver();
};

namespace event {
struct Start {};   ///< once, before all other events
struct Opened {};  ///< the requested connection is established, with TLS
struct Closed {    ///< the connection failed or was lost
  Error why;
};
struct Received {
  std::string_view bytes;
};
struct Written {};  ///< the bytes of the last `send` were written
struct Tick {};     ///< the time of Actions::wake was reached
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
struct Stop {};  ///< final
}  // namespace event

struct Note {
  LogLevel level = LogLevel::kInfo;
  std::string text;
  std::string error = {};
};

/// In the order of execution.
struct Actions {
  bool close = false;     ///< closes the connection, which then produces no more events
  bool open = false;      ///< opens a connection; Opened or Closed follows
  std::string send = {};  ///< bytes to write; Written follows. Empty while a write is under way
  std::vector<Finished> finished = {};
  std::vector<std::pair<std::uint64_t, Message>> messages = {};  ///< for the listener of that number
  std::vector<std::pair<std::uint64_t, bool>> listening = {};
  std::vector<Note> notes = {};
  std::optional<Instant> wake = {};  ///< the time of the next Tick; replaces an earlier one
};

}  // namespace gaur::redis
