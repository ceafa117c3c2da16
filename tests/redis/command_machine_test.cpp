// The command connection: requests, replies and reconnection.
#include "redis/command_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace gaur::redis
