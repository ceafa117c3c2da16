#pragma once
// A machine without a server: the test produces the events of the socket and reads the sent bytes.
#include <gtest/gtest.h>

#include "base/manual_env.hpp"
#include "redis/command_machine.hpp"
#include "redis/encoder.hpp"
#include "redis/listen_machine.hpp"

namespace gaur::redis {

/// Without keepalive pings.
inline ClientOptions quiet() {
  ClientOptions options;
  options.keepalive = Duration{0};
  return options;
}

/// What was sent, as "GET k | PING".
inline std::string commands_in(const std::string& bytes) {
  Parser parser;
  parser.feed(bytes);
  std::string all;
  while (true) {
    const auto incoming = parser.next();
    if (!incoming) return all + "?";
    if (!*incoming) return all;
    if (!all.empty()) all += " | ";
    bool first = true;
    for (const auto& word : *(*incoming)->reply.array()) {
      all += (first ? "" : " ") + *word.text();
      first = false;
    }
  }
}

template <class Machine>
struct MachineRig {
  explicit MachineRig(ClientOptions o = {}) : options(std::move(o)) {}

  ClientOptions options;
  ManualClock clock;
  SeededRandom random{1};
  Machine machine{options, random};
  Actions last;
  int opens = 0, closes = 0;
  std::vector<std::string> notes;
  std::vector<std::pair<std::uint64_t, Message>> messages;
  std::vector<std::pair<std::uint64_t, bool>> listening;
  bool writing = false;

  /// Carries the event to the machine, delivers what is finished; returns what was sent.
  std::string on(typename Machine::Event event) {
    last = machine.resume(std::move(event), clock.now());
    closes += last.close ? 1 : 0;
    opens += last.open ? 1 : 0;
    if (last.close) writing = false;
    for (auto& each : last.finished) each.deliver();
    for (const auto& note : last.notes) notes.push_back(note.text + " " + note.error);
    messages.insert(messages.end(), last.messages.begin(), last.messages.end());
    listening.insert(listening.end(), last.listening.begin(), last.listening.end());
    EXPECT_FALSE(writing && !last.send.empty()) << "sent while something was being written";
    if (!last.send.empty()) writing = true;
    return commands_in(last.send);
  }
  std::string written() {
    writing = false;
    return on(event::Written{});
  }
  std::string receive(std::string_view bytes) { return on(event::Received{bytes}); }
  std::string lose() { return on(event::Closed{{Errc::kDisconnected, "reset"}}); }
  /// Lets time pass, ticking where the machine asked for it.
  std::string pass(Duration by) {
    std::string sent;
    const Instant end = clock.now() + by;
    while (last.wake && *last.wake <= end) {
      if (*last.wake > clock.now()) clock.advance(std::chrono::ceil<Duration>(*last.wake - clock.now()));
      const auto now = on(event::Tick{});
      if (!now.empty()) sent += (sent.empty() ? "" : " | ") + now;
      if (last.wake && *last.wake <= clock.now()) {
        ADD_FAILURE() << "asks to be woken in the past";
        break;
      }
    }
    if (clock.now() < end) clock.advance(std::chrono::ceil<Duration>(end - clock.now()));
    return sent;
  }
};

struct Commands : MachineRig<CommandMachine> {
  using MachineRig::MachineRig;

  Future<Result<Reply>> call(Command command) {
    Request::One promise;
    auto future = promise.future();
    sent = submit({.to = promise, .bytes = encode(command)});
    return future;
  }
  Future<Result<std::vector<Reply>>> pipeline(const std::vector<Command>& commands) {
    Request::Many promise;
    auto future = promise.future();
    Request request{.to = promise, .replies = commands.size()};
    for (const auto& command : commands) append_command(request.bytes, command);
    sent = submit(std::move(request));
    return future;
  }
  Future<Result<Reply>> run(const Script& script, const std::string& key) {
    Request::One promise;
    auto future = promise.future();
    Request request{.to = promise, .script = script, .script_arguments = 2};
    append_argument(request.bytes, "1");
    append_argument(request.bytes, key);
    sent = submit(std::move(request));
    return future;
  }
  std::string submit(Request request) {
    event::Submit submit;
    submit.requests.push_back(std::move(request));
    return on(std::move(submit));
  }
  /// From the start to kReady; returns what the greeting was.
  std::string greet(std::string_view answers = "+OK\r\n+PONG\r\n") {
    if (machine.link().state() == Link::State::kIdle) on(event::Start{});
    const std::string greeting = on(event::Opened{});
    written();
    sent = receive(answers);
    return greeting;
  }
  /// By the newest verb.
  std::string sent;
};

/// "OK", "error timeout", or "pending".
template <class T>
std::string outcome(Future<Result<T>>& future) {
  if (!future.ready()) return "pending";
  auto result = std::move(future).get();
  if (!result) return "error " + std::string(to_string(result.error().code));
  if constexpr (std::is_same_v<T, Reply>) {
    if (const auto* text = result->text()) return *text;
    if (const auto* number = result->integer()) return std::to_string(*number);
    if (const auto* failure = result->failure()) return "-" + failure->text;
    return "other";
  } else {
    return std::to_string(result->size()) + " replies";
  }
}

}  // namespace gaur::redis
