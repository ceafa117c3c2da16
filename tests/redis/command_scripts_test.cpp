// The command connection: scripts by digest and as text.
#include "redis/command_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

TEST(CommandScripts, sends_an_unknown_script_as_text) {
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

TEST(CommandScripts, loads_a_script_once_for_a_pipeline_and_before_waiting_requests) {
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

TEST(CommandScripts, a_rejected_script_counts_as_unsent) {
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

TEST(CommandScripts, returns_other_failures_of_a_script) {
  Commands rig(quiet());
  rig.greet();
  const Script script("s", "return 1");
  auto a = rig.run(script, "a");
  rig.receive("-WRONGTYPE Operation against a key\r\n");
  EXPECT_EQ(outcome(a), "-WRONGTYPE Operation against a key");
}

}  // namespace
}  // namespace gaur::redis
