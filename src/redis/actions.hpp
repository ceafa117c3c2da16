#pragma once
// What a connection's state machine (link.hpp and those built on it) is told and what it asks for in return.
// The machines own no socket, no thread and no clock: `resume(event, now)` -> Actions, which the shell in
// client.cpp carries out. Thread-safety: values.
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

/// One command, or several sent together, on its way to an answer.
struct Request {
  using One = Promise<Result<Reply>>;
  using Many = Promise<Result<std::vector<Reply>>>;

  std::variant<std::monostate, One, Many> to = {};  ///< monostate: our own PING
  std::string bytes = {};                           ///< encoded; of a script: from its number of keys on
  std::size_t replies = 1;                          ///< how many answer it
  std::optional<Script> script = {};                ///< EVALSHA of this one, EVAL where it is not known
  std::size_t script_arguments = 0;                 ///< how many arguments `bytes` holds
  Instant deadline{};

  // kept by the machine
  std::vector<Reply> answers = {};  ///< of several, so far
  Instant sent = {};
  std::uint8_t refusals = 0;  ///< NOSCRIPT so often
  bool as_text = false;       ///< sent as EVAL
  bool given_up = false;      ///< answered by its deadline; the reply is still to come
  /// What it counts against max_queued_bytes.
  std::size_t size() const { return bytes.size(); }
};

/// A request with its answer; deliver() hands it to whoever waits, once.
struct Finished {
  decltype(Request::to) to;
  Result<Reply> answer;             ///< of One; of Many only where it is an error
  std::vector<Reply> answers = {};  ///< of Many
  void deliver();
};

namespace event {
struct Start {};   ///< once, before all others
struct Opened {};  ///< the connection asked for stands (TLS too)
struct Closed {    ///< it failed or was lost
  Error why;
};
struct Received {
  std::string_view bytes;
};
struct Written {};  ///< the bytes last asked to be sent have left
struct Tick {};     ///< Actions::wake has come
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
struct Stop {};  ///< for good
}  // namespace event

struct Note {
  LogLevel level = LogLevel::kInfo;
  std::string text;
  std::string error = {};
};

/// In the order in which they are to be carried out.
struct Actions {
  bool close = false;     ///< drop the connection; no event comes from it any more
  bool open = false;      ///< make one; Opened or Closed will follow
  std::string send = {};  ///< write these; Written will follow. Never while others are written
  std::vector<Finished> finished = {};
  std::vector<std::pair<std::uint64_t, Message>> messages = {};  ///< for the listener of that number
  std::vector<std::pair<std::uint64_t, bool>> listening = {};
  std::vector<Note> notes = {};
  std::optional<Instant> wake = {};  ///< Tick then, whatever was said before; nothing: no need
};

}  // namespace gaur::redis
