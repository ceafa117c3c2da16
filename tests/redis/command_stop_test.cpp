// The command connection: its end, and random orders of events.
#include "redis/command_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

using testing::HasSubstr;

TEST(CommandStop, stopping_completes_every_request) {
  for (int stage = 0; stage < 5; ++stage) {
    Commands rig(quiet());
    if (stage > 0) rig.on(event::Start{});
    if (stage > 1) rig.on(event::Opened{});
    if (stage > 2) rig.greet();
    auto a = rig.call({"A"});
    auto b = rig.call({"B"});
    if (stage > 3) rig.lose();
    rig.on(event::Stop{});
    EXPECT_TRUE(rig.last.close);
    EXPECT_THAT(outcome(a), HasSubstr("error")) << stage;
    EXPECT_EQ(outcome(b), "error stopping") << stage;
    auto late = rig.call({"C"});
    EXPECT_EQ(outcome(late), "error stopping");
    EXPECT_FALSE(rig.last.wake);
    rig.on(event::Opened{});
    rig.on(event::Closed{{Errc::kDisconnected, "x"}});
    EXPECT_EQ(rig.on(event::Tick{}), "");
    EXPECT_FALSE(rig.last.open);
  }
}

using NamedCalls = std::vector<std::pair<std::string, Future<Result<Reply>>>>;

void expect_answered_once(NamedCalls& calls, std::map<std::string, int>& seen, std::uint64_t seed) {
  for (auto& [name, future] : calls) {
    ASSERT_TRUE(future.ready()) << name << ", seed " << seed;
    const auto result = std::move(future).get();
    if (result && result->text() != nullptr) {
      EXPECT_EQ(*result->text(), name) << "seed " << seed;
      EXPECT_EQ(seen[name], 1);
    }
    EXPECT_LE(seen[name], 1) << name << " was sent twice, seed " << seed;
  }
}

/// Events in any order that client.cpp can produce: each request is answered once and by its deadline,
/// nothing is sent twice, and nothing is written during a write.
TEST(CommandStop, keeps_its_invariants_in_every_order_of_events) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ClientOptions options;
    options.command_timeout = Duration{3'000};
    options.away = seed % 4 == 0 ? Away::kFailFast : Away::kQueue;
    Commands rig(options);
    SeededRandom random(seed);
    rig.on(event::Start{});
    bool open = false;
    std::map<std::string, int> seen;  // how often a request's name reached the socket
    std::deque<std::string> due;      // commands at the server without an answer
    NamedCalls calls;
    int number = 0;
    const auto took = [&](const std::string& sent) {
      for (std::size_t at = 0; at < sent.size();) {
        const auto end = std::min(sent.find(" | ", at), sent.size());
        const std::string command = sent.substr(at, end - at);
        if (command.starts_with("X")) ++seen[command];
        due.push_back(command);
        at = end + 3;
      }
    };
    for (int step = 0; step < 400; ++step) {
      switch (random.below(8)) {
        case 0:
        case 1: {
          const std::string name = "X" + std::to_string(++number);
          calls.emplace_back(name, rig.call({name}));
          took(rig.sent);
          break;
        }
        case 2:
          if (rig.machine.link().state() == Link::State::kOpening && !open) {
            open = true;
            due.clear();
            took(rig.on(event::Opened{}));
          }
          break;
        case 3:
          if (rig.writing) took(rig.written());
          break;
        case 4:
        case 5:
          if (open && !due.empty()) {
            const std::string command = due.front();
            due.pop_front();
            const bool odd = random.below(30) == 0;
            took(rig.receive(command.starts_with("X") ? (odd ? "-READONLY no\r\n" : "+" + command + "\r\n")
                                                      : "+OK\r\n"));
          }
          break;
        case 6:
          if (random.below(6) == 0) took(rig.lose());
          break;
        default: took(rig.pass(Duration{random.below(200)}));
      }
      if (rig.machine.link().state() == Link::State::kWaiting) open = false;
      if (rig.machine.link().state() == Link::State::kOpening && rig.last.open) open = false;
    }
    rig.on(event::Stop{});
    expect_answered_once(calls, seen, seed);
  }
}

}  // namespace
}  // namespace gaur::redis
