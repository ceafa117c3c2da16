// The command connection: deadlines and silent servers.
#include "redis/command_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

using testing::HasSubstr;

/// Commands have 1 s; a server is silent after `silence`.
ClientOptions limited(Duration silence) {
  ClientOptions options = quiet();
  options.command_timeout = Duration{1'000};
  options.silence_timeout = silence;
  return options;
}

TEST(CommandDeadlines, every_command_completes_by_its_deadline) {
  Commands rig(limited(Duration{3'000}));
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

TEST(CommandDeadlines, a_command_without_a_connection_reports_why) {
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

TEST(CommandDeadlines, closes_a_silent_connection) {
  Commands rig(limited(Duration{1'500}));
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

TEST(CommandDeadlines, keeps_a_slow_server_that_still_replies) {
  Commands rig(limited(Duration{1'500}));
  rig.greet();
  auto pipeline = rig.pipeline({{"A"}, {"B"}, {"C"}});
  for (int i = 0; i < 3; ++i) {
    rig.pass(Duration{1'400});
    rig.receive(":1\r\n");
  }
  EXPECT_EQ(outcome(pipeline), "error timeout");
  EXPECT_EQ(rig.closes, 0);
}

TEST(CommandDeadlines, pings_when_idle_and_detects_a_missing_reply) {
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

}  // namespace
}  // namespace gaur::redis
