#include "redis/command_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ClientOptions quiet() {
  ClientOptions options;
  options.keepalive = Duration{0};
  return options;
}

// ---- commands

TEST(CommandMachine, sends_all_waiting_requests_at_once_and_none_while_writing) {
  Commands rig(quiet());
  rig.on(event::Start{});
  auto a = rig.call({"A"});
  auto b = rig.pipeline({{"B"}, {"C"}});
  rig.greet();
  EXPECT_EQ(rig.sent, "A | B | C");
  auto d = rig.call({"D"});
  auto e = rig.call({"E"});
  EXPECT_EQ(rig.sent, "");
  EXPECT_EQ(rig.written(), "D | E");
  rig.receive(":1\r\n:2\r\n");
  EXPECT_EQ(outcome(a), "1");
  EXPECT_EQ(outcome(b), "pending");
  rig.receive(":3\r\n:4\r\n-ERR five\r\n");
  EXPECT_EQ(outcome(b), "2 replies");
  EXPECT_EQ(outcome(d), "4");
  EXPECT_EQ(outcome(e), "-ERR five");
}

TEST(CommandMachine, accepts_replies_before_the_write_is_reported) {
  Commands rig(quiet());
  rig.greet();
  auto a = rig.call({"A"});
  rig.receive("+x\r\n");
  EXPECT_EQ(outcome(a), "x");
  auto b = rig.call({"B"});
  EXPECT_EQ(rig.sent, "");
  EXPECT_EQ(rig.written(), "B");
}

TEST(CommandMachine, fails_sent_requests_and_keeps_unsent_ones_when_the_connection_is_lost) {
  Commands rig(quiet());
  rig.greet();
  auto sent = rig.call({"A"});
  auto several = rig.pipeline({{"B"}, {"C"}});
  auto kept = rig.call({"D"});  // A is still being written
  rig.lose();
  EXPECT_EQ(outcome(sent), "error disconnected");
  EXPECT_EQ(outcome(several), "pending");
  EXPECT_EQ(outcome(kept), "pending");
  EXPECT_EQ(rig.opens, 1);
  rig.pass(Duration{30});
  EXPECT_EQ(rig.opens, 2);
  rig.greet();
  EXPECT_EQ(rig.sent, "B | C | D");
  rig.receive(":1\r\n:2\r\n:3\r\n");
  EXPECT_EQ(outcome(several), "2 replies");
  EXPECT_EQ(outcome(kept), "3");
}

TEST(CommandMachine, a_partly_answered_pipeline_has_an_unknown_outcome) {
  Commands rig(quiet());
  rig.greet();
  auto several = rig.pipeline({{"B"}, {"C"}});
  rig.receive(":1\r\n");
  rig.lose();
  EXPECT_EQ(outcome(several), "error disconnected");
}

TEST(CommandMachine, fails_fast_if_configured_but_not_before_the_first_attempt) {
  ClientOptions options = quiet();
  options.away = Away::kFailFast;
  Commands rig(options);
  rig.on(event::Start{});
  auto early = rig.call({"A"});
  EXPECT_EQ(outcome(early), "pending");
  rig.greet();
  rig.receive("+x\r\n");
  rig.written();
  rig.lose();
  auto away = rig.call({"B"});
  EXPECT_EQ(outcome(away), "error disconnected");
}

TEST(CommandMachine, a_rejection_fails_waiting_requests_and_is_retried_slowly) {
  Commands rig(quiet());
  rig.on(event::Start{});
  auto early = rig.call({"A"});
  rig.on(event::Closed{{Errc::kPermission, "the certificate does not verify"}});
  EXPECT_EQ(outcome(early), "error permission");
  auto later = rig.call({"B"});
  EXPECT_EQ(outcome(later), "error permission");
  rig.pass(Duration{4'900});
  EXPECT_EQ(rig.opens, 1);
  rig.pass(Duration{200});
  EXPECT_EQ(rig.opens, 2);
  auto meanwhile = rig.call({"C"});
  EXPECT_EQ(outcome(meanwhile), "error permission");
  rig.greet();
  auto good = rig.call({"D"});
  rig.receive("+x\r\n");
  EXPECT_EQ(outcome(good), "x");
}

TEST(CommandMachine, backs_off_with_jitter_and_from_the_start_again_after_an_answer) {
  Commands rig(quiet());
  rig.on(event::Start{});
  std::vector<std::int64_t> waits;
  for (int attempt = 0; attempt < 9; ++attempt) {
    rig.lose();
    const Instant from = rig.clock.now();
    const int opens = rig.opens;
    while (rig.opens == opens) rig.pass(Duration{1});
    waits.push_back(std::chrono::duration_cast<Duration>(rig.clock.now() - from).count());
  }
  std::int64_t longest = 25;
  for (const auto wait : waits) {
    EXPECT_GE(wait, longest / 2 - 1);
    EXPECT_LE(wait, longest + 1);
    longest = std::min<std::int64_t>(longest * 2, 2'000);
  }
  rig.greet();
  auto a = rig.call({"A"});
  rig.receive("+x\r\n");
  rig.written();
  rig.lose();
  rig.pass(Duration{26});
  EXPECT_EQ(rig.machine.link().state(), Link::State::kOpening);
}

TEST(CommandMachine, logs_a_problem_once_and_its_end) {
  Commands rig(quiet());
  rig.greet();
  for (int i = 0; i < 5; ++i) {
    rig.lose();
    rig.pass(Duration{2'100});
  }
  ASSERT_EQ(rig.notes.size(), 1U);
  EXPECT_THAT(rig.notes[0], HasSubstr("lost the connection to Redis (commands) reset"));
  rig.greet();
  ASSERT_EQ(rig.notes.size(), 2U);
  EXPECT_THAT(rig.notes[1], HasSubstr("connected to Redis again after 10500 ms"));
}

// ---- deadlines

TEST(CommandMachine, every_command_completes_by_its_deadline) {
  ClientOptions options = quiet();
  options.command_timeout = Duration{1'000};
  options.silence_timeout = Duration{3'000};
  Commands rig(options);
  rig.greet();
  auto sent = rig.call({"A"});
  auto unsent = rig.call({"B"});
  rig.pass(Duration{999});
  EXPECT_EQ(outcome(sent), "pending");
  rig.pass(Duration{1});
  EXPECT_EQ(outcome(sent), "error timeout");
  EXPECT_EQ(outcome(unsent), "error timeout");
  EXPECT_EQ(rig.closes, 0);
  // The late answer belongs to A and to nobody else.
  rig.written();
  auto next = rig.call({"C"});
  EXPECT_EQ(rig.sent, "C");
  rig.receive(":1\r\n");
  EXPECT_EQ(outcome(next), "pending");
  rig.receive(":3\r\n");
  EXPECT_EQ(outcome(next), "3");
}

TEST(CommandMachine, a_command_without_a_connection_reports_why) {
  ClientOptions options = quiet();
  options.command_timeout = Duration{1'000};
  Commands rig(options);
  rig.on(event::Start{});
  auto answer = rig.call({"A"});
  rig.lose();
  rig.pass(Duration{1'000});
  ASSERT_TRUE(answer.ready());
  const auto result = std::move(answer).get();
  EXPECT_EQ(result.error().code, Errc::kDisconnected);
  EXPECT_THAT(result.error().message, HasSubstr("was not sent: reset"));
}

TEST(CommandMachine, closes_a_silent_connection) {
  ClientOptions options = quiet();
  options.command_timeout = Duration{1'000};
  options.silence_timeout = Duration{1'500};
  Commands rig(options);
  rig.greet();
  auto first = rig.call({"A"});
  rig.written();
  rig.pass(Duration{900});
  auto second = rig.call({"B"});
  rig.pass(Duration{599});
  EXPECT_EQ(outcome(first), "error timeout");
  EXPECT_EQ(rig.closes, 0);
  rig.pass(Duration{1});
  EXPECT_EQ(rig.closes, 1);
  EXPECT_EQ(outcome(second), "error disconnected");
}

TEST(CommandMachine, keeps_a_slow_server_that_still_replies) {
  ClientOptions options = quiet();
  options.command_timeout = Duration{1'000};
  options.silence_timeout = Duration{1'500};
  Commands rig(options);
  rig.greet();
  auto pipeline = rig.pipeline({{"A"}, {"B"}, {"C"}});
  for (int i = 0; i < 3; ++i) {
    rig.pass(Duration{1'400});
    rig.receive(":1\r\n");
  }
  EXPECT_EQ(outcome(pipeline), "error timeout");
  EXPECT_EQ(rig.closes, 0);
}

TEST(CommandMachine, pings_when_idle_and_detects_a_missing_reply) {
  ClientOptions options;
  options.keepalive = Duration{10'000};
  options.silence_timeout = Duration{2'000};
  Commands rig(options);
  rig.greet();
  EXPECT_EQ(rig.pass(Duration{9'999}), "");
  EXPECT_EQ(rig.pass(Duration{1}), "PING");
  rig.written();
  rig.receive("+PONG\r\n");
  EXPECT_EQ(rig.pass(Duration{10'000}), "PING");
  rig.written();
  rig.pass(Duration{1'999});
  EXPECT_EQ(rig.closes, 0);
  rig.pass(Duration{1});
  EXPECT_EQ(rig.closes, 1);
  EXPECT_EQ(rig.pass(Duration{20'000}), "") << "pinged without a connection";
}

// ---- scripts

TEST(CommandMachine, sends_an_unknown_script_as_text) {
  Commands rig(quiet());
  rig.greet();
  const Script script("s", "return 1");
  const std::string by_digest = "EVALSHA " + script.sha1() + " 1 k";
  auto answer = rig.run(script, "k");
  EXPECT_EQ(rig.sent, by_digest);
  rig.written();
  EXPECT_EQ(rig.receive("-NOSCRIPT No matching script.\r\n"), "EVAL return 1 1 k");
  rig.written();
  rig.receive(":1\r\n");
  EXPECT_EQ(outcome(answer), "1");
}

TEST(CommandMachine, loads_a_script_once_for_a_pipeline_and_before_waiting_requests) {
  Commands rig(quiet());
  rig.greet();
  const Script script("s", "return 1"), other("o", "return 2");
  auto a = rig.run(script, "a");
  rig.written();
  auto b = rig.run(script, "b");
  rig.written();
  auto c = rig.run(other, "c");
  auto d = rig.run(script, "d");
  EXPECT_EQ(rig.sent, "");  // C is being written, D waits
  const std::string no = "-NOSCRIPT No matching script.\r\n";
  rig.receive(no + no + no);
  EXPECT_EQ(rig.written(), "EVAL return 1 1 a | EVALSHA " + script.sha1() +
                               " 1 b | EVAL return 2 1 c | EVALSHA " + script.sha1() + " 1 d");
  rig.written();
  rig.receive(":1\r\n" + no + ":3\r\n:4\r\n");  // somebody flushed the scripts between A and B
  EXPECT_EQ(outcome(a), "1");
  EXPECT_EQ(outcome(b), "pending");
  EXPECT_EQ(outcome(c), "3");
  EXPECT_EQ(outcome(d), "4");
  EXPECT_EQ(commands_in(rig.last.send), "EVAL return 1 1 b");
  rig.written();
  rig.receive(":2\r\n");
  EXPECT_EQ(outcome(b), "2");
}

TEST(CommandMachine, a_rejected_script_counts_as_unsent) {
  // NOSCRIPT means that nothing ran: it may wait for the next connection.
  Commands rig(quiet());
  rig.greet();
  const Script script("s", "return 1");
  auto a = rig.run(script, "a");
  auto b = rig.call({"B"});
  rig.receive("-NOSCRIPT No matching script.\r\n");  // while A is still being "written"
  rig.lose();
  EXPECT_EQ(outcome(a), "pending");
  rig.pass(Duration{30});
  rig.greet();
  EXPECT_EQ(rig.sent, "EVAL return 1 1 a | B");
}

TEST(CommandMachine, returns_other_failures_of_a_script) {
  Commands rig(quiet());
  rig.greet();
  const Script script("s", "return 1");
  auto a = rig.run(script, "a");
  rig.receive("-WRONGTYPE Operation against a key\r\n");
  EXPECT_EQ(outcome(a), "-WRONGTYPE Operation against a key");
}

// ---- a server that cannot serve

TEST(CommandMachine, reconnects_when_the_server_cannot_serve) {
  for (const std::string refusal :
       {"-READONLY You can't write against a read only replica.",
        "-LOADING Redis is loading the dataset in memory", "-MASTERDOWN Link with MASTER is down",
        "-CLUSTERDOWN The cluster is down",
        "-ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write"}) {
    Commands rig(quiet());
    rig.greet();
    auto refused = rig.call({"A"});
    rig.written();
    auto under_way = rig.call({"B"});
    auto waits = rig.call({"C"});
    rig.receive(refusal + "\r\n");
    EXPECT_EQ(outcome(refused), "error disconnected") << refusal;
    EXPECT_FALSE(rig.machine.ready());
    EXPECT_EQ(rig.written(), "") << "sent to a server that said no";
    EXPECT_EQ(rig.closes, 0) << "an answer is still due";
    rig.receive(":2\r\n");
    EXPECT_EQ(outcome(under_way), "2");
    EXPECT_EQ(rig.closes, 1);
    rig.pass(Duration{30});
    rig.greet();
    EXPECT_EQ(rig.sent, "C");
    rig.receive(":3\r\n");
    EXPECT_EQ(outcome(waits), "3");
  }
}

TEST(CommandMachine, reconnects_to_a_replica_with_backoff) {
  Commands rig(quiet());
  rig.on(event::Start{});
  for (int round = 0; round < 12; ++round) {
    rig.greet();
    auto a = rig.call({"A"});
    rig.receive("-READONLY You can't write against a read only replica.\r\n");
    EXPECT_EQ(outcome(a), "error disconnected");
    const int opens = rig.opens;
    if (round > 8) {
      rig.pass(Duration{990});
      EXPECT_EQ(rig.opens, opens);
    }
    rig.pass(Duration{2'000});
    EXPECT_EQ(rig.opens, opens + 1);
  }
}

// ---- hostile

TEST(CommandMachine, closes_a_connection_that_violates_the_protocol) {
  for (const std::string bytes :
       {"$-7\r\n", "*999999999999\r\n", "nonsense\r\n", ":1\r\n:2\r\n", "$1\r\nabc"}) {
    Commands rig(quiet());
    rig.greet();
    auto answer = rig.call({"A"});
    rig.receive(bytes);
    EXPECT_EQ(rig.closes, 1) << bytes;
    EXPECT_EQ(rig.machine.link().error()->code, Errc::kCorrupt) << bytes;
    EXPECT_NE(outcome(answer), "pending") << bytes;
    rig.pass(Duration{30});
    EXPECT_EQ(rig.opens, 2) << "it is tried again";
  }
}

TEST(CommandMachine, ignores_pushes) {
  Commands rig(quiet());
  rig.greet(">1\r\n+x\r\n+OK\r\n>1\r\n+x\r\n+PONG\r\n");
  auto answer = rig.call({"A"});
  rig.receive(">2\r\n+invalidate\r\n*0\r\n|1\r\n+a\r\n+b\r\n:1\r\n>1\r\n+y\r\n");
  EXPECT_EQ(outcome(answer), "1");
}

// ---- the end

TEST(CommandMachine, stopping_completes_every_request) {
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
TEST(CommandMachine, keeps_its_invariants_in_every_order_of_events) {
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
